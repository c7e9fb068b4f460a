// abortOnFail stops the run soon after the threshold fails.
// compare: exit, console, errors, thresholds
import { sleep } from 'k6';
import { Counter } from 'k6/metrics';

const counter = new Counter('bad_things');

export const options = {
  vus: 1,
  duration: '20s',
  thresholds: { bad_things: [{ threshold: 'count<2', abortOnFail: true }] },
};

export default function () {
  counter.add(1);
  sleep(0.1);
}

export function teardown() {
  console.log('teardown');
}
