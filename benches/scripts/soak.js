// Many requests with everything on that keeps numbers: checks, a custom trend, thresholds, the summary.
import http from 'k6/http';
import { check } from 'k6';
import { Trend } from 'k6/metrics';

const size = new Trend('response_size');

const { MINUTES, REQUESTS = 10000000 } = __ENV;

export const options = {
  scenarios: {
    soak: MINUTES
      ? { executor: 'constant-vus', vus: 50, duration: `${MINUTES}m` }
      : { executor: 'shared-iterations', vus: 50, iterations: Number(REQUESTS), maxDuration: '1h' },
  },
  thresholds: {
    http_req_duration: ['p(95)<1000', 'p(99.9)<5000'],
    'http_req_duration{expected_response:true}': ['avg<1000'],
    checks: ['rate>0.99'],
    response_size: ['med>0'],
  },
};

export default function () {
  const res = http.get(`${__ENV.BASE}/`);
  check(res, { 'status is 200': (r) => r.status === 200 });
  size.add(res.body.length);
}
