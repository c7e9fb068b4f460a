// test.abort in setup: no iteration runs.
import exec from 'k6/execution';

export function setup() {
  exec.test.abort();
}

export default function () {
  console.log('iteration');
}

export function teardown() {
  console.log('teardown');
}
