// Checks record what was right and wrong and never stop anything. Thresholds decide: if one fails, the exit code is 99.
// BASE_URL: the service, http://127.0.0.1:8080 by default.
import http from 'k6/http';
import { check, sleep } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';

export const options = {
  vus: 5,
  duration: '3s',
  thresholds: {
    checks: ['rate>0.95'],
    http_req_failed: ['rate<0.05'],
    http_req_duration: ['p(95)<500', { threshold: 'max<5000', abortOnFail: true }],
    'http_req_duration{name:list}': ['avg<300'],
  },
};

export function setup() {
  const credentials = JSON.stringify({ email: 'admin@example.com', password: 'breakwater-demo' });
  const res = http.post(`${BASE_URL}/api/v1/auth/login`, credentials, {
    headers: { 'Content-Type': 'application/json' },
  });
  return { Authorization: `Bearer ${res.json('access_token')}` };
}

export default function (headers) {
  const res = http.get(`${BASE_URL}/api/v1/users`, { headers, tags: { name: 'list' } });
  check(res, {
    'status is 200': (r) => r.status === 200,
    'has users': (r) => r.json('users').length > 0,
  });
  sleep(0.1);
}
