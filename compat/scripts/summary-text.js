// The text of the summary: checks, thresholds, custom metrics of each kind.
// compare: exit, text
import { check, group } from 'k6';
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';

const metrics = { counter: new Counter('my_counter'), gauge: new Gauge('my_gauge'), rate: new Rate('my_rate') };
const trend = new Trend('my_trend');
const bytes = new Counter('my_big_counter');

export const options = {
  iterations: 8,
  thresholds: { my_trend: ['avg<4', 'max<5'], 'my_counter{odd:1}': ['count==4'], my_rate: ['rate>0.1'], checks: ['rate>0.5'] },
};

export default function () {
  for (const metric of Object.values(metrics)) metric.add(__ITER, { odd: `${__ITER % 2}` });
  trend.add(__ITER);
  bytes.add(1234567);
  check(__ITER, { 'below four': (v) => v < 4, always: true });
  group('a group', () => check(__ITER, { 'in the group': (v) => v !== 2 }));
}
