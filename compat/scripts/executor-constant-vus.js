// VUs loop for the duration; each one gets to run.
// ignore: iterations, iteration_duration, data_sent, data_received
// order: any
import { sleep } from 'k6';

export const options = {
  scenarios: { steady: { executor: 'constant-vus', vus: 3, duration: '1s', gracefulStop: '2s' } },
};

export default function () {
  if (__ITER === 0) console.log(`VU ${__VU} runs`);
  sleep(0.2);
}
