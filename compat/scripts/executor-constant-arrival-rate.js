// Iterations start at a steady rate whatever they take; the first at once.
// order: any
// ignore: dropped_iterations, iterations, iteration_duration, data_sent, data_received
// Only the last start, which falls on the end of the run, may be missing.
import exec from 'k6/execution';

export const options = {
  scenarios: {
    rate: { executor: 'constant-arrival-rate', rate: 20, timeUnit: '1s', duration: '1s', preAllocatedVUs: 5 },
  },
};

export default function () {
  if (exec.scenario.iterationInTest < 19) console.log(`iteration ${exec.scenario.iterationInTest}`);
}
