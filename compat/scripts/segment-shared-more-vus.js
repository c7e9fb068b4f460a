// More VUs than the cycle has slots.
// flags: --execution-segment 0:1/6 --execution-segment-sequence 0,1/6,1/2,1
// order: any
// compare: exit, console, counts
import exec from 'k6/execution';

export const options = {
  scenarios: { shared: { executor: 'shared-iterations', vus: 13, iterations: 40 } },
};

export default function () {
  console.log(exec.scenario.iterationInTest, exec.scenario.iterationInInstance);
}
