// A scenario's progress through its iterations.
import exec from 'k6/execution';

export const options = { scenarios: { p: { executor: 'shared-iterations', vus: 1, iterations: 4 } } };

export default function () {
  console.log(exec.scenario.progress.toFixed(2));
}
