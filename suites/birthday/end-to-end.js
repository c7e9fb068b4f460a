// From adding a person to the message that is delivered: created, scheduled, enqueued, sent by a worker, and what the service
// says of it verified; up to 1,000 such flows at the same time. A service that looks once a minute for what is due would be
// measured for that: let it look every second (--birthday-interval-ms 1000).
import { check } from 'k6';
import exec from 'k6/execution';
import { Rate, Trend } from 'k6/metrics';
import { newRun } from '../lib/http.js';
import { SEED, seeded } from '../lib/random.js';
import { scale, think } from '../lib/scale.js';
import * as birthday from './api.js';

const stages = [
  { duration: '1m', target: 100 },
  { duration: '2m', target: 100 },
  { duration: '1m', target: 500 },
  { duration: '2m', target: 500 },
  { duration: '1m', target: 1000 },
  { duration: '2m', target: 1000 },
];

export const options = scale({
  scenarios: {
    flows: { executor: 'ramping-vus', startVUs: 0, stages },
  },
  thresholds: {
    flow_time: ['p(95)<5000', 'p(99)<8000'],
    flow_success: ['rate>0.99'],
    http_req_failed: ['rate<0.01'],
  },
});

const flowTime = new Trend('flow_time', true);
const flowSuccess = new Rate('flow_success');
const random = seeded(SEED, __VU);

export function setup() {
  return { run: newRun() };
}

export default function ({ run }) {
  const start = Date.now();
  const user = birthday.celebrant(random, run, exec.vu.idInTest, exec.vu.iterationInInstance);
  const added = birthday.create(user);
  const message = added.status === 201 ? birthday.awaitDelivery(added.json('id'), 15) : undefined;
  const isDelivered = check(message, {
    'delivered': (m) => m !== undefined,
    'once, and in this order: scheduled, enqueued, delivered': (m) => m !== undefined && isInOrder(m),
  });
  flowSuccess.add(isDelivered);
  if (isDelivered) flowTime.add(Date.now() - start);
  think(random, 4);
}

function isInOrder({ attempts, scheduled_at: scheduled, enqueued_at: enqueued, delivered_at: delivered }) {
  const [first, second, third] = [scheduled, enqueued, delivered].map((instant) => Date.parse(instant));
  return attempts === 1 && first <= second && second <= third;
}
