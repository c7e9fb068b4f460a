// Fluxor as its clients see it, and what they do when it refuses them.
//
// A service that is full says so: 503, with the seconds after which to come back. That is an answer, not an error, so the two
// are counted apart: `refused` is the share of requests that were told to come back, `failed` the share of those that went
// wrong, and `accepted_time` how long the others took.
import { check, group, sleep } from 'k6';
import http from 'k6/http';
import { Rate, Trend } from 'k6/metrics';
import { baseUrl, field, newRun, params } from '../lib/http.js';
import { emailOf, person } from '../lib/people.js';
import { seeded } from '../lib/random.js';
import { think } from '../lib/scale.js';

/** What clients ask for, in percent. */
export const MIX = { health: 30, ready: 20, users: 20, echo: 20, metrics: 10 };

const BASE = baseUrl();

const refused = new Rate('refused');
const failed = new Rate('failed');
const acceptedTime = new Trend('accepted_time', true);

const requests = {
  health: () => http.get(`${BASE}/health`),
  ready: () => http.get(`${BASE}/ready`),
  users: () => http.get(`${BASE}/api/users?limit=20`),
  echo: () => http.post(`${BASE}/api/echo`, JSON.stringify({ vu: __VU, iteration: __ITER }), params({ json: true })),
  metrics: () => http.get(`${BASE}/api/metrics`),
};

const isRight = {
  health: () => true,
  ready: () => true,
  users: (response) => Array.isArray(field(response, 'users')),
  echo: (response) => field(response, 'body.vu') === __VU && field(response, 'body.iteration') === __ITER,
  metrics: (response) => field(response, 'admission.limits.max_clients') > 0,
};

http.setResponseCallback(http.expectedStatuses(200, 503));

/** One request of the mix, and what comes after it: a refused client waits as long as it was told, any other one thinks. */
export function visit(random) {
  const response = request(random.weighted(MIX));
  if (response.status === 503) sleep(retryAfter(response));
  else think(random, 1);
}

/** One request, counted and checked. */
export function request(kind) {
  return group(kind, () => {
    const response = requests[kind]();
    const isRefused = response.status === 503;
    refused.add(isRefused);
    if (isRefused) {
      failed.add(!check(response, { 'a refusal says when to come back': (r) => retryAfter(r) > 0 }));
      return response;
    }
    acceptedTime.add(response.timings.duration);
    failed.add(!check(response, { [`${kind} is right`]: (r) => r.status === 200 && isRight[kind](r) }));
    return response;
  });
}

/** Some users, so that their list is not empty. */
export function addUsers(count = 20) {
  const run = newRun();
  const random = seeded(run);
  for (let i = 0; i < count; i++) {
    const somebody = person(random);
    const user = { name: somebody.name, email: emailOf(somebody, run, i) };
    const expectation = { responseCallback: http.expectedStatuses(201) };
    const added = http.post(`${BASE}/api/users`, JSON.stringify(user), params({ json: true, ...expectation }));
    check(added, { 'user added': (r) => r.status === 201 });
  }
}

/** What admission is bound by: `{ max_clients, utilisation, max_wait_ms }`. */
export function limitsOfAdmission() {
  return requests.metrics().json('admission.limits');
}

/** Puts other limits in force. Only the service's administrator can, whose token is in ADMIN_TOKEN. */
export function setLimits(limits) {
  const token = __ENV.ADMIN_TOKEN || 'breakwater-demo';
  const { status } = http.put(`${BASE}/api/admission`, JSON.stringify(limits), params({ token, json: true }));
  if (status === 200) return;
  throw new Error(
    `asked to have ${limits.max_clients} places, as this SCALE needs, the service answered ${status}: ` +
      'start it with that many (fluxor-max-clients), or give the token of its administrator in ADMIN_TOKEN',
  );
}

/** Whether the service is there: what a test of too much load asks at its end. */
export function checkAlive() {
  for (let attempt = 1; ; attempt++) {
    const response = requests.health();
    if (response.status !== 503 || attempt === 5) {
      check(response, { 'alive afterwards': (r) => r.status === 200 });
      return;
    }
    sleep(retryAfter(response));
  }
}

function retryAfter(response) {
  return Number(response.headers['Retry-After']) || 0;
}
