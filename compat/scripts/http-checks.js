// The script that everybody writes first.
// compare: +text
import http from 'k6/http';
import { check, group, sleep } from 'k6';
import { Rate, Trend } from 'k6/metrics';

const errors = new Rate('errors');
const sizes = new Trend('sizes');

export const options = {
  scenarios: { users: { executor: 'per-vu-iterations', vus: 2, iterations: 3 } },
  thresholds: { http_req_failed: ['rate<0.01'], http_req_duration: ['p(95)<2000'], errors: ['rate<0.1'], checks: ['rate>0.9'] },
};

export default function () {
  group('visit', () => {
    const res = http.get(`${__ENV.BASE}/json`);
    const ok = check(res, {
      'status is 200': (r) => r.status === 200,
      'has an author': (r) => r.json('slideshow.author') === 'Ada',
      'never true': () => false,
    });
    errors.add(ok && false);
    sizes.add(res.body.length);
  });
  group('buy', () => {
    const res = http.post(`${__ENV.BASE}/post`, JSON.stringify({ item: 1 }), { headers: { 'Content-Type': 'application/json' } });
    check(res, { 'item is taken': (r) => r.json('json.item') === 1 });
  });
  sleep(0.01);
}
