// A segment alone, in percent.
// flags: --execution-segment 50%
import exec from 'k6/execution';

export const options = { scenarios: { shared: { executor: 'shared-iterations', vus: 1, iterations: 6 } } };

export default function () {
  console.log(exec.scenario.iterationInInstance);
}
