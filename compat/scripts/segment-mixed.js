// Each scenario has a numbering of its own.
// flags: --execution-segment 3/4:1 --execution-segment-sequence 0,1/4,2/4,3/4,1
// order: any
// compare: exit, console, counts
import exec from 'k6/execution';

export const options = {
  scenarios: { a: { executor: 'shared-iterations', vus: 6, iterations: 9 }, b: { executor: 'per-vu-iterations', vus: 6, iterations: 2, startTime: '500ms' } },
};

export default function () {
  console.log(exec.scenario.iterationInTest, exec.scenario.iterationInInstance);
}
