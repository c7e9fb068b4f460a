// Thresholds of every kind of metric that hold.
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';

const counter = new Counter('a_counter');
const gauge = new Gauge('a_gauge');
const rate = new Rate('a_rate');
const trend = new Trend('a_trend');

export const options = {
  iterations: 10,
  thresholds: {
    a_counter: ['count==45', 'count>44.5', 'rate>0'],
    a_gauge: ['value==9', 'value !== 3', 'value<=9'],
    a_rate: ['rate==0.5', 'rate>=0.5', 'rate < 0.6'],
    a_trend: ['avg==4.5', 'min==0', 'max===9', 'med==4.5', 'p(90)==8.1', 'p(0)==0', 'p(100)==9', 'p(99.5)<9'],
    iterations: ['count==10'],
  },
};

export default function () {
  counter.add(__ITER);
  gauge.add(__ITER);
  rate.add(__ITER % 2);
  trend.add(__ITER);
}
