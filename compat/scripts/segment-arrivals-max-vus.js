// Arrivals follow the share of maxVUs.
// flags: --execution-segment 1/2:1 --execution-segment-sequence 0,1/6,1/2,1
// order: any
// compare: exit, console, counts
import exec from 'k6/execution';

export const options = {
  scenarios: { rate: { executor: 'constant-arrival-rate', rate: 10, duration: '2050ms', preAllocatedVUs: 5, maxVUs: 7 } },
};

export default function () {
  console.log(exec.scenario.iterationInTest, exec.scenario.iterationInInstance);
}
