// One VU belongs to one part, and so do all arrivals.
// flags: --execution-segment 1/2:1 --execution-segment-sequence 0,1/2,1
// order: any
// compare: exit, console, counts
import exec from 'k6/execution';

export const options = {
  scenarios: { rate: { executor: 'constant-arrival-rate', rate: 6, duration: '1100ms', preAllocatedVUs: 1 } },
};

export default function () {
  console.log(exec.scenario.iterationInTest, exec.scenario.iterationInInstance);
}
