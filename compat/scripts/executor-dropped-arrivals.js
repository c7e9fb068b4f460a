// With every VU busy an arrival is dropped, not queued.
// ignore: dropped_iterations
import { sleep } from 'k6';

export const options = {
  scenarios: {
    rate: {
      executor: 'constant-arrival-rate',
      rate: 10,
      duration: '1s',
      preAllocatedVUs: 1,
      maxVUs: 1,
      gracefulStop: '3s',
    },
  },
  thresholds: { dropped_iterations: ['count>=8', 'count<=10'], iterations: ['count==1'] },
};

export default function () {
  console.log('busy');
  sleep(1.5);
}
