// Shared iterations follow the VUs, not the cuts.
// flags: --execution-segment 1/6:1/2 --execution-segment-sequence 0,1/6,1/2,1
// order: any
// compare: exit, console, counts
import exec from 'k6/execution';

export const options = {
  scenarios: { shared: { executor: 'shared-iterations', vus: 5, iterations: 23 } },
};

export default function () {
  console.log(exec.scenario.iterationInTest, exec.scenario.iterationInInstance);
}
