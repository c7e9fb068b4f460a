// 50,000 requests a second of the usual mix, each started when it is due. What the service cannot take shows as requests that
// were never started (`dropped_iterations`).
import { SEED, seeded } from '../lib/random.js';
import { scale } from '../lib/scale.js';
import { MIX, addUsers, request } from './api.js';

export const options = scale({
  scenarios: {
    requests: {
      executor: 'constant-arrival-rate',
      rate: 50000,
      timeUnit: '1s',
      duration: '1m',
      preAllocatedVUs: 2000,
      maxVUs: 3350,
    },
  },
  thresholds: {
    accepted_time: ['p(95)<50'],
    refused: ['rate==0'],
    failed: ['rate<0.0001'],
    dropped_iterations: ['rate<5'], // a second: a ten-thousandth
  },
});

const random = seeded(SEED, __VU);

export function setup() {
  addUsers();
}

export default function () {
  request(random.weighted(MIX));
}
