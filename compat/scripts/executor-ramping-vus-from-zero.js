// A ramp from nothing, with a jump.
// ignore: iterations, iteration_duration, data_sent, data_received
// order: any
import exec from 'k6/execution';
import { sleep } from 'k6';

export const options = {
  scenarios: {
    ramp: { executor: 'ramping-vus', startVUs: 0, stages: [{ duration: '0s', target: 3 }, { duration: '1s', target: 3 }] },
  },
};

export default function () {
  if (exec.vu.iterationInScenario === 0) {
    const late = Date.now() - exec.scenario.startTime;
    console.log(`VU ${exec.vu.idInTest} at once: ${late < 200}`);
  }
  sleep(0.3);
}
