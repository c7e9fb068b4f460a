// All of it, as real users do: 1,000, 5,000 and 10,000 people, one level after the other, in sessions of two to twenty, who
// send a position every two seconds; beside them some who create sessions and delete them, some who look at the list, and some
// on bad networks.
import { check, sleep } from 'k6';
import exec from 'k6/execution';
import { Track } from '../lib/gps.js';
import { SEED, seeded } from '../lib/random.js';
import { scale, scaled, secondsLeft, stretched, think } from '../lib/scale.js';
import { session } from '../lib/sessions.js';
import { create, createSessions, enter, list, remove, show, takePart } from './api.js';

const PEOPLE = 10000;
const MEMBERS = 5; // of a session, on average
const LEVEL = '2m';
const WHOLE = '6m45s';
const COMING_S = 60; // ten thousand people come in a minute

const people = (vus, startTime) => ({
  executor: 'constant-vus',
  exec: 'share',
  vus,
  startTime,
  duration: LEVEL,
  gracefulStop: '10s',
});

const limits = {};
for (const level of ['people_1000', 'people_5000', 'people_10000']) {
  limits[`broadcast_delay{scenario:${level}}`] = ['p(99)<100'];
  limits[`connected{scenario:${level}}`] = ['rate>0.99'];
}

export const options = scale({
  setupTimeout: '5m',
  scenarios: {
    people_1000: people(1000, '0s'),
    people_5000: people(5000, '2m20s'),
    people_10000: people(10000, '4m40s'),
    travellers: { executor: 'constant-vus', exec: 'travel', vus: 100, duration: WHOLE, gracefulStop: '10s' },
    organisers: {
      executor: 'constant-arrival-rate',
      exec: 'organise',
      rate: 100,
      timeUnit: '1m',
      duration: WHOLE,
      preAllocatedVUs: 5,
      maxVUs: 20,
    },
  },
  network: {
    scenarios: { travellers: '50%3g,30%4g,20%lossy-wifi' },
  },
  thresholds: {
    ...limits,
    recovered: ['rate>0.99'],
    http_req_failed: ['rate<0.01'],
    checks: ['rate>0.99'],
  },
});

const random = seeded(SEED, __VU);

export function setup() {
  return { sessions: createSessions(Math.ceil(scaled(PEOPLE) / MEMBERS), () => session(random)) };
}

/** Joins one of the sessions and shares the way until the level is over. */
export function share({ sessions }) {
  sleep(stretched(`${COMING_S}s`, WHOLE) * random.next());
  if (!secondsLeft(LEVEL, WHOLE)) return;
  const membership = enter(random.pick(sessions), random);
  if (!membership) return;
  takePart(membership, {
    seconds: secondsLeft(LEVEL, WHOLE),
    everyMs: 2000,
    track: new Track(random),
    watches: exec.vu.idInTest % MEMBERS === 0,
  });
}

/** The same for a while, over and over, on a network of which only Squall knows. */
export function travel({ sessions }) {
  const seconds = Math.min(secondsLeft(WHOLE), random.between(5, 30));
  if (!seconds) return;
  const membership = enter(random.pick(sessions), random);
  if (membership) takePart(membership, { seconds, everyMs: 2000, track: new Track(random) });
}

/** Creates a session, looks at it and at the list, and deletes it. */
export function organise() {
  const described = session(random);
  const created = create(described);
  if (!check(created, { 'created': (r) => r.status === 201 })) return;
  const { id, owner_token: ownerToken } = created.json();
  check(show(id), { 'shown as created': (r) => r.json('metadata.activity') === described.metadata.activity });
  check(list('limit=20'), { 'the list is there': (r) => r.status === 200 });
  think(random, 3);
  check(remove(id, ownerToken), { 'deleted': (r) => r.status === 204 });
}
