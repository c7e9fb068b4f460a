// A ramp of arrivals follows the share of maxVUs.
// flags: --execution-segment 1/6:1/2 --execution-segment-sequence 0,1/6,1/2,1
// order: any
// compare: exit, console, counts
import exec from 'k6/execution';

export const options = {
  scenarios: { rate: { executor: 'ramping-arrival-rate', startRate: 5, stages: [{ target: 15, duration: '2050ms' }], preAllocatedVUs: 5, maxVUs: 5 } },
};

export default function () {
  console.log(exec.scenario.iterationInTest, exec.scenario.iterationInInstance);
}
