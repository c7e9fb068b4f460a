// When VUs run out more start, up to maxVUs.
// ignore: dropped_iterations, iterations, iteration_duration, data_sent, data_received
// order: any
import exec from 'k6/execution';
import { sleep } from 'k6';

export const options = {
  scenarios: {
    rate: { executor: 'constant-arrival-rate', rate: 10, duration: '2s', preAllocatedVUs: 1, maxVUs: 3, gracefulStop: '5s' },
  },
};

export default function () {
  if (exec.vu.iterationInScenario === 0) console.log(`VU ${exec.vu.idInTest}`);
  sleep(0.5);
}
