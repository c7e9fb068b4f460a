// The full text: groups and scenarios in sections of their own.
// flags: --summary-mode full
// compare: exit, text
import { check, group } from 'k6';
import { Trend } from 'k6/metrics';

const trend = new Trend('my_trend');

export const options = {
  scenarios: {
    first: { executor: 'per-vu-iterations', exec: 'one' },
    second: { executor: 'per-vu-iterations', exec: 'two', startTime: '500ms' },
  },
};

export function one() {
  trend.add(1);
  group('alpha', () => {
    trend.add(2);
    check(1, { 'alpha check': true });
    group('beta', () => check(1, { 'beta check': false }));
  });
}

export function two() {
  trend.add(5);
  check(1, { 'second check': true });
}
