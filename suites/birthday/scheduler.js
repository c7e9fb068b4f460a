// 10,000 people have their birthday tomorrow. The daily scheduler looks at all of them, the minute scheduler puts 500 messages
// a minute, which have just come due, into the queue, and meanwhile others read the same tables.
import { check, sleep } from 'k6';
import exec from 'k6/execution';
import { Trend } from 'k6/metrics';
import { field, newRun } from '../lib/http.js';
import { SEED, seeded } from '../lib/random.js';
import { scale, scaled, stretched } from '../lib/scale.js';
import * as birthday from './api.js';

const PEOPLE = scaled(10000);
const MESSAGES = scaled(500);
const JUDGED_MIN = 5; // messages of a run from which its rate tells something

export const options = scale({
  setupTimeout: '5m',
  scenarios: {
    daily: { executor: 'constant-vus', exec: 'daily', vus: 1, duration: '5m' },
    minute: { executor: 'constant-vus', exec: 'minute', vus: 1, duration: '5m' },
    queries: {
      executor: 'constant-arrival-rate',
      exec: 'query',
      rate: 50,
      timeUnit: '1s',
      duration: '5m',
      preAllocatedVUs: 20,
      maxVUs: 80,
    },
  },
  thresholds: {
    daily_run_time: ['max<30000'],
    ...(MESSAGES >= JUDGED_MIN && { enqueue_rate: ['avg>100'] }), // messages a second
    query_time: ['p(95)<200'],
    http_req_failed: ['rate<0.01'],
    checks: ['rate>0.99'],
  },
});

const dailyRunTime = new Trend('daily_run_time', true);
const enqueueRate = new Trend('enqueue_rate');
const queryTime = new Trend('query_time', true);
const random = seeded(SEED, __VU);

export function setup() {
  const run = newRun();
  const people = [];
  for (let i = 0; i < PEOPLE; i++) people.push(birthday.tomorrowsCelebrant(random, run, i));
  check(birthday.createAll(people), { 'everybody was added': (taken) => taken === PEOPLE });
  return { run };
}

/** The daily run, over and over: one whose messages are all stored already looks at everybody just the same. */
export function daily() {
  const response = birthday.runScheduler('daily');
  dailyRunTime.add(response.timings.duration);
  check(response, { 'the daily run has looked at everybody': (r) => field(r, 'people') >= PEOPLE });
  wait(10);
}

/** Messages come due, and the minute run puts them into the queue. */
export function minute({ run }) {
  const people = [];
  for (let i = 0; i < MESSAGES; i++) people.push(birthday.celebrant(random, run, exec.vu.iterationInScenario, i));
  check(birthday.createAll(people), { 'everybody was added': (taken) => taken === MESSAGES });
  const response = birthday.runScheduler('minute');
  check(response, { 'the minute run is done': (r) => r.status === 200 });
  const enqueued = field(response, 'enqueued');
  if (enqueued >= JUDGED_MIN) enqueueRate.add((1000 * enqueued) / Math.max(1, field(response, 'duration_ms')));
  wait(60);
}

/** What others ask of the database meanwhile. */
export function query() {
  const queries = {
    people: () => birthday.list('limit=50'),
    search: () => birthday.list(`limit=20&search=${encodeURIComponent(birthday.somebody(random, 'x').name.slice(0, 3))}`),
    scheduled: () => birthday.messages('state=scheduled&limit=50'),
    queue: birthday.queue,
  };
  const response = queries[random.pick(Object.keys(queries))]();
  queryTime.add(response.timings.duration);
  check(response, { 'answered': (r) => r.status === 200 });
}

/** Waits, in a test of five minutes, for so many seconds. */
function wait(seconds) {
  sleep(stretched(`${seconds}s`, '5m'));
}
