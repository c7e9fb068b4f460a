// People are added, read, changed and deleted, by up to 1,000 users in three quarters of an hour.
import { check } from 'k6';
import exec from 'k6/execution';
import { Trend } from 'k6/metrics';
import { newRun } from '../lib/http.js';
import { SEED, seeded } from '../lib/random.js';
import { scale, think } from '../lib/scale.js';
import * as birthday from './api.js';

const MIX = { create: 40, read: 30, update: 20, remove: 10 };
const KNOWN_MAX = 50; // people that a VU remembers having added

export const options = scale({
  scenarios: {
    users: {
      executor: 'ramping-vus',
      startVUs: 0,
      stages: [
        { duration: '5m', target: 100 },
        { duration: '10m', target: 100 },
        { duration: '5m', target: 500 },
        { duration: '10m', target: 500 },
        { duration: '5m', target: 1000 },
        { duration: '10m', target: 1000 },
      ],
    },
  },
  thresholds: {
    http_req_duration: ['p(95)<500', 'p(99)<1000'],
    http_req_failed: ['rate<0.01'],
    checks: ['rate>0.99'],
    create_time: ['p(95)<500', 'p(99)<1000'],
    read_time: ['p(95)<500', 'p(99)<1000'],
    update_time: ['p(95)<500', 'p(99)<1000'],
    remove_time: ['p(95)<500', 'p(99)<1000'],
  },
});

const time = {
  create: new Trend('create_time', true),
  read: new Trend('read_time', true),
  update: new Trend('update_time', true),
  remove: new Trend('remove_time', true),
};
const actions = { create, read, update, remove };
const random = seeded(SEED, __VU);
const known = []; // `{ id, version }` of people whom this VU has added

export function setup() {
  return { run: newRun() };
}

export default function ({ run }) {
  const action = known.length === 0 ? 'create' : random.weighted(MIX);
  const response = actions[action](run);
  time[action].add(response.timings.duration);
  think(random, 1);
}

function create(run) {
  const user = birthday.somebody(random, run, exec.vu.idInTest, exec.vu.iterationInInstance);
  const response = birthday.create(user);
  if (check(response, { 'added': (r) => r.status === 201 && r.json('birthday') === user.birthday })) {
    known.push({ id: response.json('id'), version: response.json('version') });
    if (known.length > KNOWN_MAX) known.shift();
  }
  return response;
}

function read() {
  const { id } = random.pick(known);
  const response = birthday.read(id);
  check(response, { 'read': (r) => r.status === 200 && r.json('id') === id });
  return response;
}

function update(run) {
  const user = random.pick(known);
  const change = birthday.somebody(random, run, exec.vu.idInTest, exec.vu.iterationInInstance);
  const response = birthday.update(user.id, user.version, change);
  if (check(response, { 'changed': (r) => r.status === 200 && r.json('name') === change.name })) {
    user.version = response.json('version');
  }
  return response;
}

function remove() {
  const response = birthday.remove(known.pop().id);
  check(response, { 'deleted': (r) => r.status === 204 });
  return response;
}
