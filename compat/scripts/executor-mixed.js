// Scenarios with functions, environments and tags of their own, one after the other.
import exec from 'k6/execution';
import { Counter } from 'k6/metrics';

const seen = new Counter('seen');

export const options = {
  scenarios: {
    first: { executor: 'per-vu-iterations', vus: 1, iterations: 2, exec: 'first', env: { WHO: 'one' }, tags: { kind: 'a' } },
    second: {
      executor: 'shared-iterations',
      vus: 1,
      iterations: 2,
      exec: 'second',
      startTime: '500ms',
      env: { WHO: 'two' },
      tags: { kind: 'b' },
    },
  },
  thresholds: { 'seen{kind:a}': ['count==2'], 'seen{scenario:second}': ['count==20'], 'seen{kind:c}': ['count==0'] },
};

export function first() {
  seen.add(1);
  console.log(`first ${__ENV.WHO} ${exec.scenario.name} ${__ITER}`);
}

export function second() {
  seen.add(10, { extra: 'yes' });
  console.log(`second ${__ENV.WHO} ${exec.scenario.name} ${exec.vu.iterationInScenario}`);
}
