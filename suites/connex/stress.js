// More than an ordinary day: 100, 200 and 300 users who make the database work, many of them on the same records.
//
// A record says in its name how often it was edited, and its version counts the same. Whoever edits it reads it, adds one,
// and writes it under the version that was read. If the service ever let two of them win, an update would be lost, and name
// and version would disagree from then on: a check looks at each reading.
import { check, group } from 'k6';
import exec from 'k6/execution';
import { Counter } from 'k6/metrics';
import { field, newRun } from '../lib/http.js';
import { person } from '../lib/people.js';
import { SEED, seeded } from '../lib/random.js';
import { scale, scaled, stageAt, think } from '../lib/scale.js';
import * as connex from './api.js';

const MIX = { pages: 25, search: 15, edit: 40, account: 15, auth: 5 };
const RECORDS = scaled(10); // that all work on

// `users` becomes a tag of what is measured in that stage, so that each level has its own limit.
const stages = [
  { duration: '1m', target: 100, users: '100' },
  { duration: '2m', target: 100, users: '100' },
  { duration: '1m', target: 200, users: '200' },
  { duration: '2m', target: 200, users: '200' },
  { duration: '1m', target: 300, users: '300' },
  { duration: '2m', target: 300, users: '300' },
  { duration: '1m', target: 0, users: 'fewer' },
];

export const options = scale({
  scenarios: {
    users: { executor: 'ramping-vus', startVUs: 10, stages },
  },
  thresholds: {
    http_req_duration: ['p(95)<1000'],
    'http_req_duration{users:100}': ['p(95)<500'],
    'http_req_duration{users:200}': ['p(95)<1000'],
    'http_req_duration{users:300}': ['p(95)<2000'],
    http_req_failed: ['rate<0.2'],
    'checks{check:no update was lost}': ['rate==1'],
  },
});

const conflicts = new Counter('edit_conflicts');
const actions = { pages, search, edit, account: ownAccount, auth };
const random = seeded(SEED, __VU);
let account; // of this VU, once it has one

export function setup() {
  const run = newRun();
  const records = [];
  for (let i = 0; i < RECORDS; i++) {
    const opened = connex.openAccount({ mailbox: 'record', name: edited(0) }, run, i);
    const user = connex.me(opened.token).json();
    records.push({ id: user.id, firstVersion: user.version });
  }
  return { run, admin: connex.adminToken(), records };
}

export default function (data) {
  exec.vu.metrics.tags.users = stages[stageAt(stages, exec.scenario.progress)].users;
  account = account || connex.openAccount(person(random), data.run, exec.vu.idInTest);
  const action = random.weighted(MIX);
  if (account) group(action, () => actions[action](data));
  think(random, 0.5);
}

export function teardown({ admin, records }) {
  for (const record of records) lookAt(connex.read(admin, record.id), record);
}

/** Three pages of the list, in one of its orders: every page is read from the database. */
function pages({ admin }) {
  const query = `limit=50&sort=${random.pick(['name', 'email', 'created'])}`;
  let page = connex.list(admin, query);
  for (let number = 1; number < 3 && field(page, 'next'); number++) {
    page = connex.list(admin, `${query}&after=${encodeURIComponent(page.json('next'))}`);
  }
  check(page, { 'a page of users': (r) => r.status === 200 });
}

function search({ admin }) {
  const part = encodeURIComponent(person(random).family.slice(0, 4));
  check(connex.list(admin, `limit=20&search=${part}`), { 'found': (r) => r.status === 200 });
}

/** Edits a record that others edit too. Who comes second reads again, some times. */
function edit({ admin, records }) {
  const record = random.pick(records);
  for (let attempt = 0; attempt < 5; attempt++) {
    const read = connex.read(admin, record.id);
    const edits = lookAt(read, record);
    if (edits === undefined) return;
    const written = connex.rename(admin, read.json(), edited(edits + 1));
    if (written.status !== 409) {
      check(written, { 'edited': (r) => r.status === 200 });
      return;
    }
    conflicts.add(1);
  }
}

/** How often a record that was read has been edited. */
function lookAt(response, { firstVersion }) {
  if (!check(response, { 'the record is there': (r) => r.status === 200 })) return undefined;
  const { name, version } = response.json();
  const edits = version - firstVersion;
  check(name, { 'no update was lost': (n) => n === edited(edits) });
  return edits;
}

function edited(times) {
  return `Edited ${times} times`;
}

function ownAccount() {
  const mine = connex.me(account.token);
  if (!check(mine, { 'my account is there': (r) => r.status === 200 })) return;
  check(connex.rename(account.token, mine.json(), person(random).name), { 'my change is stored': (r) => r.status === 200 });
}

function auth() {
  const signedIn = connex.signIn(account.email);
  if (check(signedIn, { 'signed in': (a) => a !== undefined })) account = signedIn;
}
