// The executor that waits for a controller runs its VUs for the duration.
// ignore: iterations, iteration_duration, data_sent, data_received
// order: any
import { sleep } from 'k6';

export const options = {
  scenarios: { controlled: { executor: 'externally-controlled', vus: 2, maxVUs: 4, duration: '1s' } },
};

export default function () {
  if (__ITER === 0) console.log('a VU runs');
  sleep(0.25);
}
