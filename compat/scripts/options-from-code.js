// Options that code computes, with values that JSON leaves out.
const stages = [];
for (let i = 0; i < 2; i += 1) stages.push({ duration: '250ms', target: i });

export const options = {
  scenarios: { [`name_${1}`]: { executor: 'per-vu-iterations', vus: Math.max(1, 2), iterations: 1 } },
  setupTimeout: undefined,
};

export default function () {
  console.log('ran', stages.length);
}
