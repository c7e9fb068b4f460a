// A guard that ends the run from inside, and what still runs after it.
// compare: exit, console, errors, files
import exec from 'k6/execution';
import { sleep } from 'k6';
import { Counter } from 'k6/metrics';

const errors = new Counter('my_errors');

export const options = { scenarios: { loop: { executor: 'constant-vus', vus: 1, duration: '20s', gracefulStop: '1s' } } };

export function setup() {
  return { limit: 3 };
}

export default function (data) {
  errors.add(1);
  if (__ITER + 1 >= data.limit) {
    console.log('enough');
    exec.test.abort(`more than ${data.limit - 1} errors`);
  }
  sleep(0.05);
}

export function teardown(data) {
  console.log('teardown', data.limit);
}

export function handleSummary(data) {
  return { 'summary.txt': `${data.metrics.my_errors.values.count} ${data.setup_data.limit} ${data.metrics.iterations.values.count}` };
}
