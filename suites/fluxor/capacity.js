// The three regions of admission control, one after the other. Of 5,000 places 3,350 are for requests in progress:
//
//   below      3,000 clients   the service's own speed, nobody is refused
//   queueing   4,500 clients   some wait for their turn, some may be refused
//   beyond    10,000 clients   half of them find no place and are refused at once, those admitted are served, nothing breaks
//
// The promise is about clients whose requests are in the service at the same time, so run it with THINK_MS=0 against a service
// whose requests take some time of their own (fluxor-work-ms); with that time in WORK_MS, limits are for what comes on top of
// it. At another SCALE the service must have that many places: where it has not, the script sets them, as the administrator
// whose token is in ADMIN_TOKEN, and puts them back in the end.
import { sleep } from 'k6';
import exec from 'k6/execution';
import { SEED, seeded } from '../lib/random.js';
import { scale, scaled } from '../lib/scale.js';
import { addUsers, checkAlive, limitsOfAdmission, setLimits, visit } from './api.js';

const PLACES = 5000;
const IN_PROGRESS = 3350;
const CLIENTS = { below: 3000, queueing: 4500, beyond: 10000 };
const WORK_MS = Number(__ENV.WORK_MS || 0);

// A client without a place asks again after a second or more, one with a place as soon as it is served: so this share of requests
// is refused beyond capacity when all goes as it should. Half of it must be, whatever the machine does.
const withoutPlace = CLIENTS.beyond - PLACES;
const SHARE_REFUSED = WORK_MS > 0 ? withoutPlace / (withoutPlace + IN_PROGRESS / (WORK_MS / 1000)) : 0;

const region = (vus, startTime) => ({ executor: 'constant-vus', vus, startTime, duration: '1m', gracefulStop: '5s' });

export const options = scale({
  scenarios: {
    below: region(CLIENTS.below, '0s'),
    queueing: region(CLIENTS.queueing, '70s'),
    beyond: region(CLIENTS.beyond, '140s'),
  },
  thresholds: {
    'accepted_time{scenario:below}': [`p(95)<${WORK_MS + 50}`],
    'refused{scenario:below}': ['rate==0'],
    'failed{scenario:below}': ['rate<0.0001'],
    'accepted_time{scenario:queueing}': [`p(95)<${WORK_MS + 200}`],
    'refused{scenario:queueing}': ['rate<0.1'],
    'failed{scenario:queueing}': ['rate<0.001'],
    'accepted_time{scenario:beyond}': [`p(95)<${WORK_MS + 200}`],
    'refused{scenario:beyond}': [`rate>${(SHARE_REFUSED / 2).toFixed(3)}`, 'rate<0.6'],
    'failed{scenario:beyond}': ['rate<0.001'],
    'checks{check:alive afterwards}': ['rate==1'],
  },
});

const random = seeded(SEED, __VU);

export function setup() {
  addUsers(3);
  const limits = limitsOfAdmission();
  if (limits.max_clients !== scaled(PLACES)) setLimits({ ...limits, max_clients: scaled(PLACES) });
  return limits;
}

export default function () {
  if (exec.vu.iterationInScenario === 0) sleep(random.next()); // not all in the same millisecond
  visit(random);
}

export function teardown(limits) {
  checkAlive();
  if (limits.max_clients !== scaled(PLACES)) setLimits(limits);
}
