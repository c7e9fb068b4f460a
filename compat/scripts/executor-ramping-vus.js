// VUs come up one after the other along the stages.
// ignore: iterations, iteration_duration, data_sent, data_received
// order: any
import exec from 'k6/execution';
import { sleep } from 'k6';

export const options = {
  scenarios: {
    ramp: {
      executor: 'ramping-vus',
      startVUs: 1,
      stages: [{ duration: '1s', target: 4 }, { duration: '500ms', target: 4 }, { duration: '0s', target: 0 }],
      gracefulRampDown: '1s',
    },
  },
};

export default function () {
  if (exec.vu.iterationInScenario === 0) console.log(`VU ${exec.vu.idInTest} is up`);
  sleep(0.1);
}
