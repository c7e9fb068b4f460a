// A mixed load in 20 seconds on an accounts API: people who read and change their account, newcomers who arrive at a
// steady rate, and an office that pages through the list.
import http from 'k6/http';
import { check, group, sleep } from 'k6';
import exec from 'k6/execution';
import { Counter, Trend } from 'k6/metrics';

const BASE_URL = __ENV.BASE_URL;
const API = `${BASE_URL}/api/v1`;
const JSON_TYPE = { 'Content-Type': 'application/json' };
const PASSWORD = 'breakwater-demo';
const ACCOUNTS = 1000; // user1@example.com and so on

const signInTime = new Trend('sign_in_time', true);
const conflicts = new Counter('edit_conflicts');
const newcomers = new Counter('newcomers');

export const options = {
  scenarios: {
    people: {
      executor: 'ramping-vus',
      exec: 'people',
      startVUs: 5,
      stages: [
        { duration: '6s', target: 20 },
        { duration: '10s', target: 20 },
        { duration: '4s', target: 5 },
      ],
      gracefulStop: '2s',
      gracefulRampDown: '2s',
    },
    newcomers: {
      executor: 'constant-arrival-rate',
      exec: 'newcomer',
      rate: 5,
      timeUnit: '1s',
      duration: '20s',
      preAllocatedVUs: 10,
      maxVUs: 20,
      gracefulStop: '2s',
    },
    office: {
      executor: 'constant-vus',
      exec: 'office',
      vus: 3,
      duration: '20s',
      gracefulStop: '2s',
    },
  },
  thresholds: {
    checks: ['rate>0.99'],
    http_req_failed: ['rate<0.01'],
    'http_req_duration{scenario:people}': ['p(95)<500'],
    'http_req_duration{scenario:office}': ['p(95)<500'],
    sign_in_time: ['p(95)<2000'],
    newcomers: ['count>50'],
  },
};

export function setup() {
  return { admin: signIn('admin@example.com', PASSWORD) };
}

let account; // of this VU, once it has signed in

export function people() {
  account = account || openAccount();
  group('read', () => {
    const res = http.get(`${API}/users/me`, auth(account.token));
    check(res, { 'my account is there': (r) => r.status === 200 });
    const again = http.get(`${API}/users/me`, auth(account.token, { 'If-None-Match': res.headers.Etag }));
    check(again, { 'nothing new is not sent again': (r) => r.status === 304 || r.status === 200 });
  });
  if (exec.vu.iterationInScenario % 5 === 4) {
    group('edit', () => edit());
  }
  sleep(0.1 + Math.random() * 0.2);
}

// Two VUs share each account, so now and then one edits what the other has changed meanwhile: it reads again.
function edit() {
  for (let attempt = 0; attempt < 5; attempt++) {
    const { id, version } = http.get(`${API}/users/me`, auth(account.token)).json();
    const body = JSON.stringify({ name: `VU ${exec.vu.idInTest} in ${exec.vu.iterationInInstance}`, version });
    const res = http.patch(`${API}/users/${id}`, body, {
      ...auth(account.token, JSON_TYPE),
      tags: { name: `${API}/users/{id}` },
      responseCallback: http.expectedStatuses(200, 409),
    });
    if (res.status === 409) {
      conflicts.add(1);
      continue;
    }
    check(res, { 'my change is stored': (r) => r.status === 200 && r.json('version') === version + 1 });
    return;
  }
}

export function newcomer() {
  const email = `newcomer-${exec.scenario.iterationInTest}@example.com`;
  const password = `secret-${Math.random()}`;
  const body = JSON.stringify({ email, password, name: 'New Comer' });
  const res = http.post(`${API}/auth/register`, body, { headers: JSON_TYPE });
  if (check(res, { 'registration is taken': (r) => r.status === 202 }) && signIn(email, password)) {
    newcomers.add(1);
  }
}

export function office(data) {
  const list = (query) =>
    http.get(`${API}/users?limit=50${query}`, { ...auth(data.admin), tags: { name: `${API}/users` } });
  const first = list('');
  check(first, { 'a page has 50 users': (r) => r.json('users.#') === 50 });
  check(list(`&after=${encodeURIComponent(first.json('next'))}`), { 'the next page is there': (r) => r.status === 200 });
  check(list('&search=lovelace'), { 'the search finds some': (r) => r.json('users.#') > 0 });
  sleep(0.5);
}

function openAccount() {
  const number = 1 + (Math.floor(exec.vu.idInTest / 2) % ACCOUNTS);
  return { token: signIn(`user${number}@example.com`, PASSWORD) };
}

function signIn(email, password) {
  const res = http.post(`${API}/auth/login`, JSON.stringify({ email, password }), { headers: JSON_TYPE });
  signInTime.add(res.timings.duration);
  check(res, { 'signed in': (r) => r.status === 200 });
  return res.json('access_token');
}

function auth(token, headers = {}) {
  return { headers: { Authorization: `Bearer ${token}`, ...headers } };
}
