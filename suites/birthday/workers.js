// How fast the workers send. WORKERS says how many the service has (1, 5 or 10: that is the service's setting, not this
// script's), and so which rates they are given: 100 messages a minute for one, 500 for five, 1,000 and then 2,000 for ten.
// After that, 200 a minute go to a mail server that refuses each first try, so that all must be tried again. At the end a burst
// shows what the workers can do: the messages a second in which they empty the queue. With the rate of one worker in
// ONE_WORKER_RATE (the suite takes it from the run with one), the efficiency of scaling is the burst's rate over that of so many
// workers alone. Bursts are judged from a fifth of the documented size.
import { check, sleep } from 'k6';
import exec from 'k6/execution';
import { Counter, Gauge, Trend } from 'k6/metrics';
import { field, newRun } from '../lib/http.js';
import { SEED, seeded } from '../lib/random.js';
import { scale, scaled } from '../lib/scale.js';
import * as birthday from './api.js';

const WORKERS = Number(__ENV.WORKERS || 10);
const ONE_WORKER_RATE = WORKERS > 1 ? Number(__ENV.ONE_WORKER_RATE || 0) : 0;
const RATES = { 1: [100], 5: [500], 10: [1000, 2000] }; // messages a minute, two minutes each
if (!RATES[WORKERS]) throw new Error(`WORKERS: '${__ENV.WORKERS}' is none of 1, 5 and 10`);

const BURST = scaled(500 * WORKERS);
const JUDGED_MIN = 100 * WORKERS; // messages of a burst from which its rate tells something: for a second's work
const IS_JUDGED = BURST >= JUDGED_MIN;

const messages = (rate, startMinute, domain) => ({
  executor: 'constant-arrival-rate',
  exec: 'message',
  rate,
  timeUnit: '1m',
  startTime: `${startMinute}m`,
  duration: '2m',
  preAllocatedVUs: 50,
  maxVUs: 200,
  gracefulStop: '10s',
  env: { DOMAIN: domain },
});

const scenarios = {};
for (const rate of RATES[WORKERS]) {
  scenarios[`at_${rate}`] = messages(rate, 2 * Object.keys(scenarios).length, 'example.com');
}
const retriesStart = 2 * Object.keys(scenarios).length;
const end = retriesStart + 2;

export const options = scale({
  scenarios: {
    ...scenarios,
    retries: messages(200, retriesStart, 'later.invalid'),
    clock: { executor: 'constant-vus', exec: 'clock', vus: 1, duration: `${end}m`, gracefulStop: '10s' },
    burst: { executor: 'per-vu-iterations', exec: 'burst', vus: 1, iterations: 1, startTime: `${end}m`, maxDuration: '2m' },
  },
  thresholds: {
    worker_time: ['p(95)<1000'],
    retry_time: ['p(95)<2000'],
    ...(IS_JUDGED && { bursts_judged: ['count==1'] }), // else what follows would be about nothing
    ...(IS_JUDGED && WORKERS === 10 && { burst_rate: ['value>500'] }), // messages a second
    ...(IS_JUDGED && ONE_WORKER_RATE > 0 && { scaling_efficiency: ['value>0.9'] }),
    http_req_failed: ['rate<0.01'],
    checks: ['rate>0.99'],
  },
});

const workerTime = new Trend('worker_time', true);
const retryTime = new Trend('retry_time', true);
const queueDepth = new Trend('queue_depth');
const burstsJudged = new Counter('bursts_judged');
const burstRate = new Gauge('burst_rate');
const scalingEfficiency = new Gauge('scaling_efficiency');
const random = seeded(SEED, __VU);

export function setup() {
  return { run: newRun() };
}

/** Somebody's message comes due, is sent, and what the service says of it is read. */
export function message({ run }) {
  const isRetried = __ENV.DOMAIN !== 'example.com';
  const user = birthday.celebrant(random, run, exec.vu.idInTest, exec.vu.iterationInInstance);
  const added = birthday.create({ ...user, email: user.email.replace('example.com', __ENV.DOMAIN) });
  if (!check(added, { 'added': (r) => r.status === 201 })) return;
  const delivered = birthday.awaitDelivery(added.json('id'), 30);
  if (!check(delivered, { 'delivered': (m) => m !== undefined })) return;
  check(delivered, { 'tried as often as needed': (m) => (isRetried ? m.attempts > 1 : m.attempts === 1) });
  (isRetried ? retryTime : workerTime).add(birthday.workerTime(delivered));
}

/** The service's own scheduler runs once a minute; the messages of a test of workers need not wait for it. */
export function clock() {
  check(birthday.runScheduler('minute'), { 'the minute run is done': (r) => r.status === 200 });
  const waiting = field(birthday.queue(), 'ready');
  if (waiting !== undefined) queueDepth.add(waiting);
  sleep(0.5);
}

/** Many messages at once. */
export function burst({ run }) {
  const people = [];
  for (let i = 0; i < BURST; i++) people.push(birthday.celebrant(random, run, 'burst', i));
  check(birthday.createAll(people), { 'everybody was added': (taken) => taken === BURST });
  const start = Date.now();
  const enqueued = field(birthday.runScheduler('minute'), 'enqueued');
  while (isAtWork()) sleep(0.02);
  if (!(enqueued >= JUDGED_MIN)) return; // so few, or the service's own scheduler came first
  burstsJudged.add(1);
  const rate = (1000 * enqueued) / (Date.now() - start);
  burstRate.add(rate);
  if (ONE_WORKER_RATE > 0) scalingEfficiency.add(rate / (WORKERS * ONE_WORKER_RATE));
}

function isAtWork() {
  const { outbox, ready, delayed, in_progress: inProgress } = birthday.queue().json();
  return outbox + ready + delayed + (inProgress || 0) > 0;
}
