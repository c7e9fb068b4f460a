// Arrivals at a constant rate, far below what the machine can do.
import http from 'k6/http';

export const options = {
  scenarios: {
    arrivals: {
      executor: 'constant-arrival-rate',
      rate: 2000,
      duration: `${__ENV.SECONDS}s`,
      preAllocatedVUs: 100,
      maxVUs: 500,
    },
  },
};

export default function () {
  http.get(__ENV.BASE);
}
