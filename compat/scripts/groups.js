// Groups nest, return what their function returns, and count once a call.
import { check, group } from 'k6';
import { Counter } from 'k6/metrics';

const steps = new Counter('steps');

export const options = { iterations: 2, thresholds: { 'steps{group:::outer::inner}': ['count==2'] } };

export default function () {
  const result = group('outer', () => {
    steps.add(1);
    check(1, { same: true });
    const inner = group('inner', () => {
      steps.add(1);
      check(1, { same: true });
      return 'value';
    });
    group('empty', () => {});
    return `${inner} returned`;
  });
  group('outer', () => check(1, { other: false }));
  check(1, { same: true });
  console.log(result);
}
