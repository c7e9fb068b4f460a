// Ctrl-C: iterations stop, teardown and the summary run, the exit code tells.
// interrupt-on: ready
// compare: exit, console
import { sleep } from 'k6';

export const options = { vus: 1, duration: '20s' };

export default function () {
  console.log('ready');
  sleep(15);
}

export function teardown() {
  console.log('teardown');
}

export function handleSummary(data) {
  console.log('summary', typeof data.state.testRunDurationMs);
  return {};
}
