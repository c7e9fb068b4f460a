// A VU of a scenario that is over serves the next one, globals and all.
import exec from 'k6/execution';

export const options = {
  scenarios: {
    first: { executor: 'per-vu-iterations', vus: 1, iterations: 2, maxDuration: '1s', gracefulStop: '0s' },
    second: { executor: 'per-vu-iterations', vus: 1, iterations: 2, startTime: '1500ms' },
  },
};

let count = 0;

export default function () {
  count += 1;
  const { vu, scenario } = exec;
  console.log(scenario.name, vu.idInTest, vu.iterationInInstance, vu.iterationInScenario, count, __ITER);
}
