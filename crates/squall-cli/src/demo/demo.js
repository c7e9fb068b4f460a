// A mixed load in 20 seconds: visitors who browse, a wave of readers, and orders that arrive at a steady rate.
import http from 'k6/http';
import { check, group, sleep } from 'k6';
import { Counter, Trend } from 'k6/metrics';

const BASE_URL = __ENV.BASE_URL;
const basketValue = new Trend('basket_value');
const ordersPlaced = new Counter('orders_placed');

export const options = {
  scenarios: {
    browse: {
      executor: 'constant-vus',
      exec: 'browse',
      vus: 10,
      duration: '20s',
      gracefulStop: '2s',
    },
    wave: {
      executor: 'ramping-vus',
      exec: 'read',
      startVUs: 0,
      stages: [
        { duration: '6s', target: 20 },
        { duration: '6s', target: 20 },
        { duration: '4s', target: 0 },
      ],
      startTime: '2s',
      gracefulStop: '2s',
      gracefulRampDown: '2s',
    },
    orders: {
      executor: 'constant-arrival-rate',
      exec: 'order',
      rate: 20,
      timeUnit: '1s',
      duration: '20s',
      preAllocatedVUs: 5,
      maxVUs: 20,
      gracefulStop: '2s',
    },
  },
  thresholds: {
    checks: ['rate>0.97'],
    http_req_failed: ['rate<0.05'],
    'http_req_duration{scenario:orders}': ['p(95)<500'],
    orders_placed: ['count>100'],
  },
};

export function setup() {
  const res = http.post(`${BASE_URL}/login`, JSON.stringify({ user: 'demo' }));
  return { token: res.json('token') };
}

export function browse() {
  group('front page', () => {
    check(http.get(`${BASE_URL}/`), { 'front page is there': (r) => r.status === 200 });
  });
  group('list', () => {
    const page = 1 + (__ITER % 50);
    const res = http.get(`${BASE_URL}/api/items?page=${page}`, { tags: { name: '/api/items?page={page}' } });
    check(res, { 'list has 20 items': (r) => r.json('items.#') === 20 });
  });
  sleep(0.3);
}

export function read() {
  const id = 1 + ((__VU * 131 + __ITER * 17) % 1000);
  const res = http.get(`${BASE_URL}/api/items/${id}`, { tags: { name: '/api/items/{id}' } });
  check(res, { 'item is there': (r) => r.status === 200 });
  if (res.status === 200) {
    basketValue.add(res.json('price'));
  }
  http.get(`${BASE_URL}/slow`);
  sleep(0.1);
}

export function order(data) {
  const res = http.post(`${BASE_URL}/api/items`, JSON.stringify({ name: `order ${__VU}-${__ITER}` }), {
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${data.token}` },
  });
  if (check(res, { 'order is taken': (r) => r.status === 201 })) {
    ordersPlaced.add(1);
  }
}
