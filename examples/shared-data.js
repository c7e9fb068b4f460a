// A SharedArray is read once and kept once, however many VUs there are.
// BASE_URL: the service, http://127.0.0.1:8080 by default.
import http from 'k6/http';
import { check } from 'k6';
import { SharedArray } from 'k6/data';
import exec from 'k6/execution';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';

const users = new SharedArray('users', () => JSON.parse(open('./data/users.json')));

export const options = { vus: 3, iterations: users.length };

export default function () {
  // Each iteration of the test takes another user.
  const user = users[exec.scenario.iterationInTest];
  const res = http.post(`${BASE_URL}/api/v1/auth/login`, JSON.stringify(user), {
    headers: { 'Content-Type': 'application/json' },
  });
  check(res, { 'signed in': (r) => r.json('access_token') !== undefined });
}
