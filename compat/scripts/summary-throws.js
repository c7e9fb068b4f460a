// handleSummary that throws: logged, the default text, the exit code stays.
// compare: +text
import { check } from 'k6';

export default function () {
  check(1, { one: true });
}

export function handleSummary() {
  throw new Error('no summary');
}
