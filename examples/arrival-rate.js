// Start iterations at a rate. When the service gets slower, more VUs work at the same time; the rate stays.
// iteration_lateness tells how much later than intended iterations started, dropped_iterations how many could not.
// BASE_URL: the service, http://127.0.0.1:8080 by default.
import http from 'k6/http';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';

export const options = {
  scenarios: {
    steady: {
      executor: 'constant-arrival-rate',
      rate: 50,
      timeUnit: '1s',
      duration: '3s',
      preAllocatedVUs: 10,
      maxVUs: 50,
    },
  },
  thresholds: { dropped_iterations: ['count<5'] },
};

export default function () {
  http.get(`${BASE_URL}/ready`);
}
