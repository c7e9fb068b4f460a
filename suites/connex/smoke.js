// Does it work at all? Every operation once in a while, by three users. Run before the other tests.
import { check, group } from 'k6';
import exec from 'k6/execution';
import http from 'k6/http';
import { newRun } from '../lib/http.js';
import { person } from '../lib/people.js';
import { SEED, seeded } from '../lib/random.js';
import { scale, think } from '../lib/scale.js';
import * as connex from './api.js';

export const options = scale({
  scenarios: {
    visitors: { executor: 'constant-vus', vus: 3, duration: '30s' },
  },
  thresholds: {
    checks: ['rate==1'],
    http_req_failed: ['rate==0'],
    http_req_duration: ['p(95)<500'],
  },
});

const random = seeded(SEED, __VU);

export function setup() {
  return { run: newRun(), admin: connex.adminToken() };
}

export default function ({ run, admin }) {
  group('health', () => {
    check(connex.health(), { 'alive': (r) => r.status === 200 });
    check(connex.ready(), { 'ready': (r) => r.status === 200 });
  });
  group('metrics', () => {
    check(connex.metrics(), { 'metrics for the token': (r) => r.status === 200 && r.body.includes('connex_logins') });
    const refused = expecting(401, () => connex.metrics('a wrong token'));
    check(refused, { 'no metrics for a wrong token': (r) => r.status === 401 });
  });
  group('an account', () => {
    const account = connex.openAccount(person(random), run, exec.vu.idInTest, exec.vu.iterationInInstance);
    if (!check(account, { 'registered and signed in': (a) => a !== undefined })) return;
    const user = connex.me(account.token).json();
    const renamed = connex.rename(account.token, user, 'Somebody Else');
    check(renamed, { 'renamed': (r) => r.status === 200 && r.json('name') === 'Somebody Else' });
    check(connex.rename(account.token, user, 'Late'), { 'a change of an old version is refused': (r) => r.status === 409 });
    const again = connex.account(account.email, connex.refresh(account.refreshToken));
    check(again, { 'refreshed': (a) => a !== undefined });
    check(connex.logout(again.token), { 'signed out': (r) => r.status === 204 });
    const after = expecting(401, () => connex.me(again.token));
    check(after, { 'a token is worth nothing after signing out': (r) => r.status === 401 });
    check(connex.read(admin, user.id), { 'the admin reads the user': (r) => r.json('email') === account.email });
    check(connex.remove(admin, user.id), { 'the admin deletes the user': (r) => r.status === 204 });
  });
  think(random, 1);
}

/** Makes a request whose good answer is an error: it is not counted as a failed one. */
function expecting(status, request) {
  http.setResponseCallback(http.expectedStatuses(status));
  const response = request();
  http.setResponseCallback(http.expectedStatuses({ min: 200, max: 399 }));
  return response;
}
