// A part of a ramp.
// flags: --execution-segment 0:1/4 --execution-segment-sequence 0,1/4,2/4,3/4,1
// ignore: iterations, iteration_duration, data_sent, data_received
// order: any
import exec from 'k6/execution';
import { sleep } from 'k6';

export const options = {
  scenarios: { ramp: { executor: 'ramping-vus', startVUs: 0, stages: [{ duration: '0s', target: 8 }, { duration: '1s', target: 8 }] } },
};

export default function () {
  if (exec.vu.iterationInScenario === 0) console.log(`VU ${exec.vu.idInTest} here ${exec.vu.idInInstance}`);
  sleep(0.3);
}
