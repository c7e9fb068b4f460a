// {{ .ScriptName }}: readers and a writer, each a scenario with a load of its own.
import http from 'k6/http';
import { check, group } from 'k6';
import { Trend } from 'k6/metrics';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
const itemTime = new Trend('item_time', true);

export const options = {
  scenarios: {
    readers: {
      executor: 'ramping-vus',
      exec: 'read',
      startVUs: 1,
      stages: [
        { duration: '10s', target: 10 },
        { duration: '20s', target: 10 },
        { duration: '5s', target: 0 },
      ],
    },
    writer: {
      executor: 'constant-arrival-rate',
      exec: 'write',
      rate: 2,
      timeUnit: '1s',
      duration: '35s',
      preAllocatedVUs: 5,
    },
  },
  thresholds: {
    http_req_failed: ['rate<0.01'],
    'http_req_duration{scenario:readers}': ['p(95)<500'],
    checks: ['rate>0.99'],
  },
};

// Runs once before the load; what it returns is handed to every iteration.
export function setup() {
  const res = http.get(`${BASE_URL}/`);
  if (res.status !== 200) {
    throw new Error(`${BASE_URL} does not answer: ${res.error || res.status}`);
  }
  return { startedAt: Date.now() };
}

export function read() {
  group('list and open', () => {
    const list = http.get(`${BASE_URL}/api/items?page=1`);
    check(list, { 'list is 200': (r) => r.status === 200 });

    const item = http.get(`${BASE_URL}/api/items/1`, { tags: { name: '/api/items/{id}' } });
    check(item, { 'item is 200': (r) => r.status === 200 });
    itemTime.add(item.timings.duration);
  });
}

export function write() {
  const res = http.post(`${BASE_URL}/api/items`, JSON.stringify({ name: 'new' }), {
    headers: { 'Content-Type': 'application/json' },
  });
  check(res, { 'created': (r) => r.status === 201 });
}

// Runs once after the load.
export function teardown(data) {
  console.log(`the test took ${Math.round((Date.now() - data.startedAt) / 1000)} s`);
}
