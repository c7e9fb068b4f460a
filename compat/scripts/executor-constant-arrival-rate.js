// Iterations start at a steady rate whatever they take; the first at once.
// order: any
// ignore: dropped_iterations
import exec from 'k6/execution';

export const options = {
  scenarios: {
    rate: { executor: 'constant-arrival-rate', rate: 20, timeUnit: '1s', duration: '1s', preAllocatedVUs: 5 },
  },
};

export default function () {
  if (exec.scenario.iterationInTest < 19) console.log(`iteration ${exec.scenario.iterationInTest}`);
}
// ignoring the last start, which may fall on the end of the run
