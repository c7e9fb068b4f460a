// A part without a VU has none of the shared iterations.
// flags: --execution-segment 1/2:1 --execution-segment-sequence 0,1/2,1
// order: any
// compare: exit, console, counts
import exec from 'k6/execution';

export const options = {
  scenarios: { shared: { executor: 'shared-iterations', vus: 1, iterations: 5 } },
};

export default function () {
  console.log(exec.scenario.iterationInTest, exec.scenario.iterationInInstance);
}
