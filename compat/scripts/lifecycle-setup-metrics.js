// Checks and metrics of setup and teardown, in groups of their own.
import { check, group } from 'k6';
import { Counter } from 'k6/metrics';

const stages = new Counter('stages');

export function setup() {
  stages.add(1, { stage: 'setup' });
  check(true, { 'in setup': (v) => v });
  group('inner', () => check(true, { 'in a group of setup': (v) => v }));
}

export default function () {
  stages.add(1, { stage: 'iteration' });
}

export function teardown() {
  stages.add(1, { stage: 'teardown' });
  check(false, { 'in teardown': (v) => v });
}
