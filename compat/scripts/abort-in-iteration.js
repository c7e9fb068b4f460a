// test.abort in an iteration: the run stops, teardown and summary run.
// compare: -counts, -json
import exec from 'k6/execution';

export const options = { vus: 1, iterations: 10 };

export default function () {
  console.log(`iteration ${__ITER}`);
  if (__ITER === 1) exec.test.abort('enough');
  console.log('after');
}

export function teardown() {
  console.log('teardown');
}

export function handleSummary(data) {
  console.log('summary', 'metrics' in data);
  return {};
}
