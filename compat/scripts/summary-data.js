// The data that handleSummary gets.
import { check, group } from 'k6';
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';
import { shape, sorted } from './lib/shape.js';

const metrics = { counter: new Counter('c1'), gauge: new Gauge('g1'), rate: new Rate('r1'), trend: new Trend('t1', true) };

export const options = {
  iterations: 3,
  thresholds: { c1: ['count>1', { threshold: 'count<1', abortOnFail: false }], 'c1{a:b}': [], t1: ['p(95)<10'] },
};

export function setup() {
  return { some: ['data', 1] };
}

export default function () {
  for (const metric of Object.values(metrics)) metric.add(__ITER, { a: 'b' });
  group('outer', () => group('inner', () => check(__ITER, { 'is zero': (v) => v === 0 })));
  check(1, { fine: true });
}

export function handleSummary(data) {
  console.log(sorted(shape(data)));
  for (const name of ['c1', 'g1', 'r1', 't1', 'checks', 'iterations', 'c1{a:b}']) {
    const metric = JSON.parse(JSON.stringify(data.metrics[name]));
    if (metric.type === 'counter') delete metric.values.rate;
    console.log(name, sorted(metric));
  }
  console.log(sorted(data.root_group));
  console.log(sorted(data.options), sorted(data.setup_data));
  return {};
}
