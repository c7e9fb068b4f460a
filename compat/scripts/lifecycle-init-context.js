// Init code runs without a VU, and again for each VU; calls for VUs only throw there.
// order: any
// compare: exit, errors, console, counts
import http from 'k6/http';
import { check, group, sleep } from 'k6';
import { Counter } from 'k6/metrics';

const counter = new Counter('counter_x');
const outcome = (fn) => {
  try {
    fn();
    return 'fine';
  } catch (error) {
    return 'throws';
  }
};
const found = {
  request: outcome(() => http.get('http://127.0.0.1:1/')),
  check: outcome(() => check(1, { one: (v) => v === 1 })),
  group: outcome(() => group('g', () => {})),
  add: outcome(() => counter.add(1)),
  sleep: outcome(() => sleep(0)),
  jar: outcome(() => new http.CookieJar()),
  iter: typeof __ITER,
};

export default function () {
  console.log(JSON.stringify(found));
}
