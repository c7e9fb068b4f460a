// The last part gets what is left over.
// flags: --execution-segment 3/4:1 --execution-segment-sequence 0,1/4,2/4,3/4,1
// order: any
import exec from 'k6/execution';

export const options = { scenarios: { shared: { executor: 'shared-iterations', vus: 6, iterations: 11 } } };

export default function () {
  console.log(exec.scenario.iterationInTest, exec.scenario.iterationInInstance);
}
