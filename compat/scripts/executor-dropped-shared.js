// Shared iterations left at the end of maxDuration count as dropped.
import { sleep } from 'k6';

export const options = {
  scenarios: { late: { executor: 'shared-iterations', vus: 2, iterations: 50, maxDuration: '1s', gracefulStop: '2s' } },
  thresholds: { dropped_iterations: ['count==46'] },
};

export default function () {
  sleep(0.7);
}
