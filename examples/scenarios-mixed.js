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
      env: { PAGE: '2' },
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

export function read() {
  http.get(`${BASE_URL}/api/items?page=${__ENV.PAGE}`);
  sleep(0.1);
}

export function write() {
  http.post(`${BASE_URL}/api/items`, JSON.stringify({ name: `item of VU ${__VU}` }), {
    headers: { 'Content-Type': 'application/json' },
  });
}
