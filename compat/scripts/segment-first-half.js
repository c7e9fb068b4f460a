// The first half of the load.
// flags: --execution-segment 0:1/2 --execution-segment-sequence 0,1/2,1
// order: any
import exec from 'k6/execution';

export const options = {
  scenarios: { shared: { executor: 'shared-iterations', vus: 4, iterations: 10 } },
};

export default function () {
  console.log(`${exec.scenario.iterationInTest} local ${exec.scenario.iterationInInstance}`);
}
