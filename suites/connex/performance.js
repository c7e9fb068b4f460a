// How quick is each part? A steady 1,000 requests a second, in four scenarios, each of which asks for one part and has a
// trend of its own. Requests start when they are due, however slow the service is; one that cannot start is dropped, and
// then the service has not kept up.
import { check } from 'k6';
import exec from 'k6/execution';
import { Trend } from 'k6/metrics';
import { newRun } from '../lib/http.js';
import { person } from '../lib/people.js';
import { SEED, seeded } from '../lib/random.js';
import { scale, scaled } from '../lib/scale.js';
import * as connex from './api.js';

const ACCOUNTS = scaled(20); // whose sign-ins and reads are measured

const steady = (exec, rate, vus) => ({
  executor: 'constant-arrival-rate',
  exec,
  rate,
  timeUnit: '1s',
  duration: '5m',
  preAllocatedVUs: vus,
  maxVUs: 4 * vus,
});

export const options = scale({
  scenarios: {
    auth: steady('auth', 20, 20),
    database: steady('database', 300, 40),
    cache: steady('cache', 580, 20),
    user_operations: steady('userOperation', 100, 10),
  },
  thresholds: {
    auth_time: ['p(95)<500'],
    database_time: ['p(95)<200'],
    cache_time: ['p(95)<50'],
    user_operation_time: ['p(95)<500'],
    http_req_failed: ['rate<0.05'],
    checks: ['rate>0.95'],
    dropped_iterations: ['rate<1'], // a second, of 1,000
  },
});

const authTime = new Trend('auth_time', true);
const databaseTime = new Trend('database_time', true);
const cacheTime = new Trend('cache_time', true);
const userOperationTime = new Trend('user_operation_time', true);

const random = seeded(SEED, __VU);
let mine; // this VU's account as it was last read

export function setup() {
  const run = newRun();
  const accounts = [];
  for (let i = 0; i < ACCOUNTS; i++) accounts.push(connex.openAccount(person(random), run, 'shared', i));
  return { run, admin: connex.adminToken(), accounts };
}

/** A sign-in: a password is hashed, which takes the processor's time on purpose. */
export function auth({ accounts }) {
  const response = connex.login(random.pick(accounts).email);
  authTime.add(response.timings.duration);
  check(response, { 'signed in': (r) => r.status === 200 });
}

/** A page of the list: read from the database each time. */
export function database({ admin }) {
  const response = connex.list(admin, `limit=20&sort=${random.pick(['name', 'email', 'created'])}`);
  databaseTime.add(response.timings.duration);
  check(response, { 'a page of users': (r) => r.status === 200 });
}

/** An account that nobody changes: after the first time it comes from the cache. */
export function cache({ accounts }) {
  const response = connex.me(random.pick(accounts).token);
  cacheTime.add(response.timings.duration);
  check(response, { 'the account is there': (r) => r.status === 200 });
}

/** A change of an account that is this VU's alone. */
export function userOperation({ run }) {
  mine = mine || ownAccount(run);
  if (!mine) return;
  const response = connex.rename(mine.token, mine.user, person(random).name);
  userOperationTime.add(response.timings.duration);
  if (check(response, { 'changed': (r) => r.status === 200 })) mine.user = response.json();
}

function ownAccount(run) {
  const account = connex.openAccount(person(random), run, exec.vu.idInTest);
  return account && { token: account.token, user: connex.me(account.token).json() };
}
