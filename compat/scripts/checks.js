// Checks: functions and values, truthiness, tags, repeated names, the empty set, the return value.
import { check } from 'k6';

export const options = { iterations: 2, thresholds: { 'checks{part:tagged}': ['rate==0.5'] } };

export default function () {
  console.log(check(5, { 'is five': (v) => v === 5, 'is odd': (v) => v % 2 }));
  console.log(check(5, { 'is six': (v) => v === 6 }));
  console.log(check(null, { 'a value': 1, 'an empty text': '', 'a text': 'x', 'an object': {}, 'not a number': NaN }));
  console.log(check(1, {}));
  console.log(check(1, { 'is five': false }, { part: 'tagged' }));
  console.log(check(1, { 'is one': true }, { part: 'tagged', number: 1, flag: true }));
  console.log(check(1, { '': true, 'naïve ✓ "quoted"': true }));
}
