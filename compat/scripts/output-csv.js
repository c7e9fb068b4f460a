// The csv output: its header, and rows with timestamps aside.
// flags: --out csv=points.csv --no-summary
// compare: exit, files
import { check } from 'k6';
import { Counter } from 'k6/metrics';

const counter = new Counter('rows');

export const options = { iterations: 2 };

export default function () {
  counter.add(1.5, { a: 'x y' });
  check(1, { 'a check': true });
}
