// Requests of one batch run in parallel, as a browser loads what a page needs.
// BASE_URL: the service, http://127.0.0.1:8080 by default.
import http from 'k6/http';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';

export const options = { vus: 2, iterations: 10, batchPerHost: 4 };

export function setup() {
  const credentials = JSON.stringify({ email: 'admin@example.com', password: 'breakwater-demo' });
  const res = http.post(`${BASE_URL}/api/v1/auth/login`, credentials, {
    headers: { 'Content-Type': 'application/json' },
  });
  return { Authorization: `Bearer ${res.json('access_token')}` };
}

export default function (headers) {
  const responses = http.batch({
    health: `${BASE_URL}/health`,
    list: ['GET', `${BASE_URL}/api/v1/users?limit=10`, null, { headers, tags: { name: 'list' } }],
    create: {
      method: 'POST',
      url: `${BASE_URL}/api/v1/users`,
      body: JSON.stringify({ name: 'One of a batch', email: `${Math.random()}@example.com`, password: 'of-a-batch' }),
      params: { headers: { ...headers, 'Content-Type': 'application/json' } },
    },
  });
  check(responses, {
    'service is alive': (r) => r.health.status === 200,
    'list is there': (r) => r.list.status === 200,
    'user is created': (r) => r.create.status === 201,
  });
}
