// summaryTimeUnit and summaryTrendStats in the text.
// compare: exit, text
import { Trend } from 'k6/metrics';

const time = new Trend('my_time', true);

export const options = { summaryTimeUnit: 's', summaryTrendStats: ['min', 'max', 'p(99.99)', 'count'] };

export default function () {
  time.add(1500);
  time.add(250);
}
