// Tags of a sample: texts, numbers and booleans; bad ones are refused.
import { Counter } from 'k6/metrics';

const counter = new Counter('tagged');

export const options = { tags: { run: 'yes', both: 'run' }, thresholds: { 'tagged{number:1}': ['count==1'] } };

export default function () {
  console.log(counter.add(1, { text: 'x', number: 1, flag: false, both: 'sample' }));
  for (const tags of [{ bad: {} }, { bad: [1] }]) {
    try {
      console.log(counter.add(1, tags));
    } catch (error) {
      console.log('throws');
    }
  }
  console.log(counter.add(1, {}), counter.add(1, { group: 'mine', scenario: 'mine' }));
}
