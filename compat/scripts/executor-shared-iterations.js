// VUs share the iterations; every iteration number is handed out once.
// order: any
import exec from 'k6/execution';
import { sleep } from 'k6';

export const options = {
  scenarios: { shared: { executor: 'shared-iterations', vus: 4, iterations: 20, maxDuration: '20s' } },
};

export default function () {
  console.log(`iteration ${exec.scenario.iterationInTest} of ${exec.scenario.name} by ${exec.scenario.executor}`);
  sleep(0.01);
}
