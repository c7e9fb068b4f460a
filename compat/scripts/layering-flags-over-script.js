// A flag for the load wipes the script's scenarios.
// flags: --iterations 3 --vus 1
export const options = {
  scenarios: { script: { executor: 'per-vu-iterations', vus: 5, iterations: 5 } },
};

export default function () {
  console.log('iteration');
}
