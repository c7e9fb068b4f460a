// The three regions of admission control, one after the other. Of 5,000 places 3,350 are for requests in progress:
//
//   below      3,000 clients   the service's own speed, nobody is refused
//   queueing   4,500 clients   some wait for their turn, some may be refused
//   beyond    10,000 clients   about half are refused at once, those admitted are served as before, nothing breaks
//
// The promise is about clients whose requests are in the service at the same time. Against a service with fewer places,
// SCALE sets fewer clients; THINK_MS=0 makes them ask again at once.
import { sleep } from 'k6';
import exec from 'k6/execution';
import { SEED, seeded } from '../lib/random.js';
import { scale } from '../lib/scale.js';
import { addUsers, checkAlive, visit } from './api.js';

const region = (vus, startTime) => ({ executor: 'constant-vus', vus, startTime, duration: '1m', gracefulStop: '5s' });

export const options = scale({
  scenarios: {
    below: region(3000, '0s'),
    queueing: region(4500, '70s'),
    beyond: region(10000, '140s'),
  },
  thresholds: {
    'accepted_time{scenario:below}': ['p(95)<50'],
    'refused{scenario:below}': ['rate==0'],
    'failed{scenario:below}': ['rate<0.0001'],
    'accepted_time{scenario:queueing}': ['p(95)<200'],
    'refused{scenario:queueing}': ['rate<0.1'],
    'failed{scenario:queueing}': ['rate<0.001'],
    'accepted_time{scenario:beyond}': ['p(95)<200'],
    'refused{scenario:beyond}': ['rate<0.6'],
    'failed{scenario:beyond}': ['rate<0.001'],
    'checks{check:alive afterwards}': ['rate==1'],
  },
});

const random = seeded(SEED, __VU);

export function setup() {
  addUsers();
}

export default function () {
  if (exec.vu.iterationInScenario === 0) sleep(random.next()); // not all in the same millisecond
  visit(random);
}

export function teardown() {
  checkAlive();
}
