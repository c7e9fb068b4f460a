// 15,000 VUs that ask, keep their connection and think for five seconds, spread evenly over these seconds.
// The trend is how much longer than that they slept, in whole milliseconds: a script has no finer clock.
import http from 'k6/http';
import { sleep } from 'k6';
import { Trend } from 'k6/metrics';

const VUS = 15000;
const THINK_S = 5;
const wokeLate = new Trend('woke_late', true);
// A quarter of the VUs ask at each of four addresses of the server: the kernel takes long to find a free port for one of
// more than 14,000 connections to the same one.
const base = __ENV.BASE.replace('127.0.0.1', `127.0.0.${1 + (__VU % 4)}`);

export const options = {
  scenarios: {
    think: {
      executor: 'per-vu-iterations',
      vus: VUS,
      iterations: Math.ceil(Number(__ENV.SECONDS) / THINK_S),
      maxDuration: '15m',
    },
  },
};

export default function () {
  if (__ITER === 0) sleep(((__VU % VUS) / VUS) * THINK_S);
  http.get(base);
  const asleep = Date.now();
  sleep(THINK_S);
  wokeLate.add(Date.now() - asleep - THINK_S * 1000);
}
