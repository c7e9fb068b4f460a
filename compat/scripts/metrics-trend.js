// A trend's statistics: exact, with interpolated percentiles.
// flags: --summary-trend-stats avg,min,med,max,count,p(0),p(1),p(50),p(75),p(90),p(95),p(99),p(99.9),p(100)
import { Trend } from 'k6/metrics';

const plain = new Trend('a_trend');
const time = new Trend('time_trend', true);
const one = new Trend('one_value');
const even = new Trend('even_count');

export default function () {
  for (let i = 0; i < 101; i += 1) plain.add((i * 37) % 101);
  for (const value of [0.001, 1, 1000, 60000.5]) time.add(value);
  one.add(-3.5);
  for (const value of [4, 1]) even.add(value);
}
