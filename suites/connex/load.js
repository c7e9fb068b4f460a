// An ordinary day: from 10 to 100 users who look whether the service is well, sign in, add and delete users, work on
// their own account and read the metrics, each as often as MIX says. Also what `squall demo` runs, smaller and shorter.
import { check, group } from 'k6';
import exec from 'k6/execution';
import { newRun } from '../lib/http.js';
import { emailOf, person } from '../lib/people.js';
import { SEED, seeded } from '../lib/random.js';
import { scale, think } from '../lib/scale.js';
import * as connex from './api.js';

/** What users do, in percent. */
export const MIX = { health: 30, auth: 20, crud: 20, user: 20, metrics: 10 };

export const options = scale({
  scenarios: {
    users: {
      executor: 'ramping-vus',
      startVUs: 10,
      stages: [
        { duration: '1m', target: 50 },
        { duration: '2m', target: 100 },
        { duration: '4m', target: 100 },
        { duration: '1m', target: 10 },
      ],
    },
  },
  thresholds: {
    http_req_duration: ['p(95)<500'],
    http_req_failed: ['rate<0.05'],
    checks: ['rate>0.95'],
  },
});

const actions = { health, auth, crud, user, metrics };
const random = seeded(SEED, __VU);
let account; // of this VU, once it has one

export function setup() {
  return { run: newRun(), admin: connex.adminToken() };
}

export default function (data) {
  account = account || connex.openAccount(person(random), data.run, exec.vu.idInTest);
  const action = random.weighted(MIX);
  if (account) group(action, () => actions[action](data));
  think(random, 2);
}

function health() {
  check(connex.health(), { 'alive': (r) => r.status === 200 });
}

function auth() {
  const signedIn = connex.signIn(account.email);
  if (!check(signedIn, { 'signed in': (a) => a !== undefined })) return;
  const refreshed = connex.account(account.email, connex.refresh(signedIn.refreshToken));
  if (check(refreshed, { 'refreshed': (a) => a !== undefined })) account = refreshed;
}

function crud({ run, admin }) {
  const somebody = person(random);
  const email = emailOf(somebody, run, exec.vu.idInTest, exec.vu.iterationInInstance);
  const created = connex.create(admin, { email, name: somebody.name });
  if (!check(created, { 'created': (r) => r.status === 201 })) return;
  const { id } = created.json();
  const read = connex.read(admin, id);
  if (!check(read, { 'read as created': (r) => r.status === 200 && r.json('email') === email })) return;
  check(connex.rename(admin, read.json(), person(random).name), { 'updated': (r) => r.status === 200 });
  check(connex.remove(admin, id), { 'deleted': (r) => r.status === 204 });
}

function user() {
  const mine = connex.me(account.token);
  if (!check(mine, { 'my account is there': (r) => r.status === 200 })) return;
  const again = connex.me(account.token, mine.headers.Etag);
  check(again, { 'nothing new is not sent again': (r) => r.status === 304 });
  check(connex.rename(account.token, mine.json(), person(random).name), { 'my change is stored': (r) => r.status === 200 });
}

function metrics() {
  check(connex.metrics(), { 'metrics': (r) => r.status === 200 && r.body.includes('connex_logins') });
}
