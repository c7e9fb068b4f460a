// Metrics of your own: what they collect is in the summary, and thresholds can ask for it.
// BASE_URL: the service, http://127.0.0.1:8080 by default.
import exec from 'k6/execution';
import http from 'k6/http';
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';

const usersSeen = new Counter('users_seen');
const lastLimit = new Gauge('last_limit');
const longNames = new Rate('long_names');
const nameLength = new Trend('name_length');
const listTime = new Trend('list_time', true); // a time, in milliseconds

export const options = {
  vus: 2,
  iterations: 20,
  thresholds: {
    users_seen: ['count>=100'],
    name_length: ['med>5'],
    'list_time{limit:1}': ['max<5000'],
  },
};

export function setup() {
  const credentials = JSON.stringify({ email: 'admin@example.com', password: 'breakwater-demo' });
  const res = http.post(`${BASE_URL}/api/v1/auth/login`, credentials, {
    headers: { 'Content-Type': 'application/json' },
  });
  return { Authorization: `Bearer ${res.json('access_token')}` };
}

export default function (headers) {
  const limit = 1 + (exec.scenario.iterationInTest % 10);
  const res = http.get(`${BASE_URL}/api/v1/users?limit=${limit}`, { headers });
  listTime.add(res.timings.duration, { limit: String(limit) });
  lastLimit.add(limit);
  for (const user of res.json('users')) {
    usersSeen.add(1);
    nameLength.add(user.name.length);
    longNames.add(user.name.length > 12);
  }
}
