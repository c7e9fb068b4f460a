// Two workloads at once: each has its own executor, function, variables and tags.
// BASE_URL: the service, http://127.0.0.1:8080 by default.
import http from 'k6/http';
import { sleep } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';

export const options = {
  scenarios: {
    readers: {
      executor: 'constant-vus',
      exec: 'read',
      vus: 5,
      duration: '3s',
      env: { LIMIT: '20' },
      tags: { kind: 'read' },
    },
    writers: {
      executor: 'per-vu-iterations',
      exec: 'write',
      vus: 2,
      iterations: 5,
      startTime: '1s',
      tags: { kind: 'write' },
    },
  },
  thresholds: {
    'http_req_duration{kind:read}': ['p(95)<500'],
    'http_req_duration{kind:write}': ['p(95)<500'],
  },
};

export function setup() {
  const credentials = JSON.stringify({ email: 'admin@example.com', password: 'breakwater-demo' });
  const res = http.post(`${BASE_URL}/api/v1/auth/login`, credentials, {
    headers: { 'Content-Type': 'application/json' },
  });
  return { Authorization: `Bearer ${res.json('access_token')}` };
}

export function read(headers) {
  http.get(`${BASE_URL}/api/v1/users?limit=${__ENV.LIMIT}`, { headers });
  sleep(0.1);
}

export function write(headers) {
  const user = { name: `User of VU ${__VU}`, email: `vu${__VU}-${Math.random()}@example.com`, password: 'of-an-example' };
  http.post(`${BASE_URL}/api/v1/users`, JSON.stringify(user), {
    headers: { ...headers, 'Content-Type': 'application/json' },
  });
}
