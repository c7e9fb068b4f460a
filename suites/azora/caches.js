// Four of five answers come from a cache, and none of them is old: learners read profiles, lists and courses, while some
// change their profile and look whether the change is there.
import { check } from 'k6';
import { Gauge } from 'k6/metrics';
import { person } from '../lib/people.js';
import { SEED, seeded } from '../lib/random.js';
import { scale, scaled } from '../lib/scale.js';
import * as azora from './api.js';

const SIGNED_IN = scaled(25);

const steady = (exec, rate, vus) => ({
  executor: 'constant-arrival-rate',
  exec,
  rate,
  timeUnit: '1s',
  duration: '2m',
  preAllocatedVUs: vus,
  maxVUs: 4 * vus,
});

export const options = scale({
  scenarios: {
    readers: steady('read', 500, 50),
    writers: steady('write', 10, 5),
  },
  thresholds: {
    cache_hit_rate: ['value>=0.8'],
    http_req_duration: ['p(50)<50', 'p(95)<200', 'p(99)<500'],
    http_req_failed: ['rate<0.01'],
    checks: ['rate>0.95'],
    'checks{check:the change is there}': ['rate==1'],
  },
});

const hitRate = new Gauge('cache_hit_rate');
const random = seeded(SEED, __VU);
let changed; // the profile that this VU changes: `{ token }`

/** Signs in, and reads everything once: what is measured is a service that has been at work for a while. */
export function setup() {
  const tokens = azora.signInSome(SIGNED_IN);
  for (const token of tokens) azora.profile(token);
  const ids = azora.allListings().flatMap((listing) => azora.courses(listing).json('courses')).map(({ id }) => id);
  const courses = [...new Set(ids)].slice(0, 50);
  for (const id of courses) azora.course(id);
  return { tokens, courses, before: azora.cacheFigures() };
}

export function read({ tokens, courses }) {
  switch (random.weighted({ profile: 50, list: 30, course: 20 })) {
    case 'profile':
      check(azora.profile(random.pick(tokens)), { 'a profile': (r) => r.status === 200 });
      break;
    case 'list':
      check(azora.courses(azora.someListing(random)), { 'a page of courses': (r) => r.status === 200 });
      break;
    default:
      check(azora.course(random.pick(courses)), { 'a course': (r) => r.status === 200 });
  }
}

/** A change, seen at the next reading. Two VUs with one profile would see each other's, so each VU has its own. */
export function write() {
  changed = changed || { token: azora.signIn(SIGNED_IN + __VU) };
  const { name } = person(random);
  check(azora.changeProfile(changed.token, { name, language: 'en' }), { 'changed': (r) => r.status === 200 });
  check(azora.profile(changed.token), { 'the change is there': (r) => r.status === 200 && r.json('name') === name });
}

export function teardown({ before }) {
  const now = azora.cacheFigures();
  hitRate.add((now.hits - before.hits) / (now.asked - before.asked));
}
