// 100,000 VUs that sleep, count and check, without any request.
import { check, sleep } from 'k6';
import { Counter } from 'k6/metrics';

const VUS = 100000;
const THINK_S = 5;
const naps = new Counter('naps');

export const options = {
  scenarios: {
    crowd: {
      executor: 'per-vu-iterations',
      vus: VUS,
      iterations: Math.ceil(Number(__ENV.SECONDS) / THINK_S),
      maxDuration: '15m',
    },
  },
};

export default function () {
  sleep(__ITER === 0 ? ((__VU % VUS) / VUS) * THINK_S : THINK_S);
  naps.add(1);
  check(__ITER, { 'counts on': (iteration) => iteration >= 0 });
}
