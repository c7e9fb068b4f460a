// 1,000 requests a second at least, 5,000 as the target, 10,000 at the peak: each is started when it is due, and one that
// cannot be shows in `dropped_iterations`. Everybody is signed in already: 2 % of 10,000 would be 200 password hashes a second,
// four cores of work that has nothing to do with caches.
import { SEED, seeded } from '../lib/random.js';
import { scale, scaled } from '../lib/scale.js';
import { act, signInSome } from './api.js';

const SIGNED_IN = scaled(25);
const MIX = { health: 30, profile: 42, courses: 28 };

const level = (rate, startTime, vus) => ({
  executor: 'constant-arrival-rate',
  rate,
  timeUnit: '1s',
  startTime,
  duration: '1m',
  preAllocatedVUs: vus,
  maxVUs: 4 * vus,
  gracefulStop: '5s',
});

const limits = {};
for (const rate of ['least', 'target', 'peak']) {
  limits[`http_req_duration{scenario:${rate}}`] = ['p(50)<50', 'p(95)<200', 'p(99)<500'];
  limits[`http_req_failed{scenario:${rate}}`] = ['rate<0.01'];
  limits[`dropped_iterations{scenario:${rate}}`] = ['rate<1'];
}

export const options = scale({
  scenarios: {
    least: level(1000, '0s', 100),
    target: level(5000, '70s', 300),
    peak: level(10000, '140s', 500),
  },
  thresholds: limits,
});

const random = seeded(SEED, __VU);
let learner;

export function setup() {
  return { tokens: signInSome(SIGNED_IN) };
}

export default function ({ tokens }) {
  learner = learner || { token: random.pick(tokens) };
  act(random, learner, MIX);
}
