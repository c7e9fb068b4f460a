// A part of an arrival rate.
// flags: --execution-segment 1/2:1 --execution-segment-sequence 0,1/2,1
// compare: exit, console, errors
import exec from 'k6/execution';

export const options = {
  scenarios: { rate: { executor: 'constant-arrival-rate', rate: 5, duration: '2s', preAllocatedVUs: 4 } },
};

export default function () {
  if (exec.scenario.iterationInTest < 9) console.log(`${exec.scenario.iterationInTest}`);
}
