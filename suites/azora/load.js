// 100, 1,000 and 10,000 learners, one level after the other, each of whom does something every ten seconds or so. Ten thousand
// make a thousand requests a second.
import { SEED, seeded } from '../lib/random.js';
import { scale, scaled, think } from '../lib/scale.js';
import { act, signInSome } from './api.js';

const THINK_S = 10;
const SIGNED_IN = scaled(25);

const level = (vus, startTime) => ({ executor: 'constant-vus', vus, startTime, duration: '2m', gracefulStop: '5s' });

const limits = {};
for (const users of ['users_100', 'users_1000', 'users_10000']) {
  limits[`http_req_duration{scenario:${users}}`] = ['p(50)<50', 'p(95)<200', 'p(99)<500'];
  limits[`http_req_failed{scenario:${users}}`] = ['rate<0.01'];
  limits[`checks{scenario:${users}}`] = ['rate>0.95'];
}

export const options = scale({
  scenarios: {
    users_100: level(100, '0s'),
    users_1000: level(1000, '2m10s'),
    users_10000: level(10000, '4m20s'),
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
  // Who has just come thinks first, or all would act in the same millisecond.
  think(random, THINK_S);
  act(random, learner);
}
