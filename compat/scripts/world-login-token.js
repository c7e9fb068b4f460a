// A token from setup, used by VUs in headers; teardown signs out.
import http from 'k6/http';
import { check, fail, group } from 'k6';

export const options = { vus: 1, iterations: 2, thresholds: { checks: ['rate==1'], 'http_reqs{name:profile}': ['count==2'] } };

const BASE_URL = __ENV.BASE || 'http://localhost:8080';
const json = { headers: { 'Content-Type': 'application/json' } };

export function setup() {
  const res = http.post(`${BASE_URL}/post`, JSON.stringify({ user: 'ann', password: 'secret' }), json);
  if (!check(res, { 'signed in': (r) => r.status === 200 && r.json('json.user') === 'ann' })) fail('no token');
  return { token: `t-${res.json('json').user}`, at: [1, 2, { deep: true }] };
}

export default function ({ token, at }) {
  const params = { headers: { ...json.headers, Authorization: `Bearer ${token}` }, tags: { name: 'profile' } };
  group('profile', () => {
    const res = http.get(`${BASE_URL}/headers`, params);
    check(res, {
      'token arrives': (r) => r.json('headers.Authorization') === 'Bearer t-ann',
      'data arrives': () => at[2].deep && at.length === 3,
    });
  });
}

export function teardown(data) {
  const res = http.del(`${BASE_URL}/delete`, null, { headers: { Authorization: data.token } });
  console.log('teardown', res.status, res.json('headers.Authorization'));
}
