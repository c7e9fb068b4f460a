// A gauge keeps the last value with the smallest and the largest.
import { Gauge } from 'k6/metrics';

const gauge = new Gauge('a_gauge');
const time = new Gauge('time_gauge', true);

export const options = { thresholds: { a_gauge: ['value==4'] } };

export default function () {
  for (const value of [3, -7.25, 12, 4]) gauge.add(value);
  time.add(1500);
}
