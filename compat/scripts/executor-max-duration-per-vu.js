// Iterations per VU left at the end of maxDuration count as dropped.
import { sleep } from 'k6';

export const options = {
  scenarios: { late: { executor: 'per-vu-iterations', vus: 2, iterations: 5, maxDuration: '1s', gracefulStop: '2s' } },
};

export default function () {
  sleep(0.7);
}
