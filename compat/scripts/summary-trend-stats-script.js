// summaryTrendStats of the script decide the export's keys.
import { Trend } from 'k6/metrics';

const trend = new Trend('my_trend');

export const options = { summaryTrendStats: ['count', 'p(10)', 'p(99.9)', 'avg'] };

export default function () {
  for (let i = 1; i <= 10; i += 1) trend.add(i);
}
