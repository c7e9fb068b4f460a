// Many clients: up to 10,000 in five minutes, with the usual mix.
import { SEED, seeded } from '../lib/random.js';
import { scale } from '../lib/scale.js';
import { addUsers, visit } from './api.js';

export const options = scale({
  scenarios: {
    clients: {
      executor: 'ramping-vus',
      startVUs: 100,
      stages: [
        { duration: '1m', target: 2500 },
        { duration: '1m', target: 5000 },
        { duration: '1m', target: 10000 },
        { duration: '1m', target: 10000 },
        { duration: '1m', target: 0 },
      ],
    },
  },
  thresholds: {
    accepted_time: ['p(95)<200'],
    failed: ['rate<0.001'],
  },
});

const random = seeded(SEED, __VU);

export function setup() {
  addUsers();
}

export default function () {
  visit(random);
}
