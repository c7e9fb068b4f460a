// setup() runs once before the load and hands its result to every iteration; teardown() runs once after.
// BASE_URL: the service, http://127.0.0.1:8080 by default.
import http from 'k6/http';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';

export const options = { vus: 2, iterations: 10 };

export function setup() {
  const res = http.post(`${BASE_URL}/login`, JSON.stringify({ user: 'alice' }));
  if (res.status !== 200) {
    throw new Error(`cannot log in: ${res.error || res.status}`);
  }
  return { token: res.json('token') };
}

export default function (data) {
  const res = http.get(`${BASE_URL}/api/items?page=1`, {
    headers: { Authorization: `Bearer ${data.token}` },
  });
  check(res, { 'list is there': (r) => r.status === 200 });
}

export function teardown(data) {
  console.log(`done with ${data.token}`);
}
