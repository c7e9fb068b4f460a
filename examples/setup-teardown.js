// setup() runs once before the load and hands its result to every iteration; teardown() runs once after.
// BASE_URL: the service, http://127.0.0.1:8080 by default.
import http from 'k6/http';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';

export const options = { vus: 2, iterations: 10 };

export function setup() {
  const credentials = JSON.stringify({ email: 'admin@example.com', password: 'breakwater-demo' });
  const res = http.post(`${BASE_URL}/api/v1/auth/login`, credentials, {
    headers: { 'Content-Type': 'application/json' },
  });
  if (res.status !== 200) {
    throw new Error(`cannot sign in: ${res.error || res.status}`);
  }
  return { Authorization: `Bearer ${res.json('access_token')}` };
}

export default function (headers) {
  const res = http.get(`${BASE_URL}/api/v1/users`, { headers });
  check(res, { 'list is there': (r) => r.status === 200 });
}

export function teardown(headers) {
  http.post(`${BASE_URL}/api/v1/auth/logout`, null, { headers });
  console.log('signed out');
}
