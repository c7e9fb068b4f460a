// An iteration that is running at the end finishes within gracefulStop.
import { sleep } from 'k6';

export const options = {
  scenarios: { calm: { executor: 'constant-vus', vus: 1, duration: '1s', gracefulStop: '5s' } },
};

export default function () {
  console.log('start');
  sleep(1.5);
  console.log('end');
}
