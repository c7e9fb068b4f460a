// VU and iteration numbers are metadata of samples, in setup and teardown too.
// flags: --system-tags vu,iter,group,scenario --out csv=points.csv
// compare: exit, json, files
import { check, group, sleep } from 'k6';
import exec from 'k6/execution';
import http from 'k6/http';
import { Counter } from 'k6/metrics';

export const options = { scenarios: { each: { executor: 'per-vu-iterations', vus: 1, iterations: 2 } } };

const seen = new Counter('seen');

export function setup() {
  seen.add(1);
  http.get(`${__ENV.BASE}/get`, { tags: { name: 'setup' } });
}

export default function () {
  exec.vu.metrics.metadata.trace = `t${exec.vu.iterationInScenario}`;
  group('g', () => check(1, { one: true }));
  http.get(`${__ENV.BASE}/get`, { tags: { name: 'iteration' } });
  seen.add(2, { own: 'x' });
}

export function teardown() {
  seen.add(3);
}
