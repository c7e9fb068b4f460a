// A rate counts what is not zero.
import { Rate } from 'k6/metrics';

const rate = new Rate('a_rate');

export const options = { thresholds: { a_rate: ['rate>0.5'], 'a_rate{odd:yes}': ['rate==1'] } };

export default function () {
  for (const value of [true, false, 1, 0, 2, -1, 0.5]) rate.add(value);
  rate.add(true, { odd: 'yes' });
}
