// Selectors with spaces and quotes, and a colon in the value.
import { Counter } from 'k6/metrics';

const counter = new Counter('a_counter');

export const options = {
  thresholds: {
    'a_counter{url:http://a.test/b}': ['count==1'],
    "a_counter{kind:'one two'}": ['count==1'],
    'a_counter{ kind : three }': ['count<=1'],
  },
};

export default function () {
  counter.add(1, { url: 'http://a.test/b' });
  counter.add(1, { kind: 'one two' });
  counter.add(1, { kind: 'three' });
}
