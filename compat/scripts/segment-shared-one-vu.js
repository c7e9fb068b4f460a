// One VU belongs to one part, and so do all iterations.
// flags: --execution-segment 0:1/2 --execution-segment-sequence 0,1/2,1
// order: any
// compare: exit, console, counts
import exec from 'k6/execution';

export const options = {
  scenarios: { shared: { executor: 'shared-iterations', vus: 1, iterations: 5 } },
};

export default function () {
  console.log(exec.scenario.iterationInTest, exec.scenario.iterationInInstance);
}
