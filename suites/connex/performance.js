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

const READERS = scaled(20); // accounts whose sign-ins and reads are measured
const EDITORS = scaled(50); // accounts that are changed: one after the other, each once a second

const steady = (exec, rate, vus) => ({
  executor: 'constant-arrival-rate',
  exec,
  rate,
  timeUnit: '1s',
  duration: '5m',
  preAllocatedVUs: vus,
  maxVUs: 10 * vus, // for moments in which answers take long
});

export const options = scale({
  scenarios: {
    auth: steady('auth', 20, 20),
    database: steady('database', 300, 40),
    cache: steady('cache', 580, 20),
    user_operations: steady('userOperation', 50, 20), // of two requests
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

export function setup() {
  const run = newRun();
  const open = (count, kind) => Array.from({ length: count }, (_, i) => connex.openAccount(person(random), run, kind, i));
  return { admin: connex.adminToken(), readers: open(READERS, 'reader'), editors: open(EDITORS, 'editor') };
}

/** A sign-in: a password is hashed, which takes the processor's time on purpose. */
export function auth({ readers }) {
  const response = connex.login(random.pick(readers).email);
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
export function cache({ readers }) {
  const response = connex.me(random.pick(readers).token);
  cacheTime.add(response.timings.duration);
  check(response, { 'the account is there': (r) => r.status === 200 });
}

/** Somebody reads their account and changes it. */
export function userOperation({ editors }) {
  const { token } = editors[exec.scenario.iterationInTest % editors.length];
  const mine = connex.me(token);
  if (!check(mine, { 'my account is there': (r) => r.status === 200 })) return;
  const response = connex.rename(token, mine.json(), person(random).name);
  userOperationTime.add(response.timings.duration);
  check(response, { 'changed': (r) => r.status === 200 });
}
