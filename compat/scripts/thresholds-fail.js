// Thresholds that do not hold: the exit code tells, everything is reported.
import { Counter, Trend } from 'k6/metrics';

const counter = new Counter('a_counter');
const trend = new Trend('a_trend');

export const options = {
  iterations: 3,
  thresholds: { a_counter: ['count<3', 'count>0'], a_trend: ['p(95)<2', 'avg!=2', { threshold: 'max<=2' }] },
};

export default function () {
  counter.add(1);
  trend.add(__ITER + 1);
}
