// handleSummary that returns nothing: the default text.
// compare: +text
import { Counter } from 'k6/metrics';

const counter = new Counter('counted');

export const options = { iterations: 5 };

export default function () {
  counter.add(2);
}

export function handleSummary() {
  console.log('returns nothing');
}
