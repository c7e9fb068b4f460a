// A third of the load: VU and iteration numbers are unique over all parts.
// flags: --execution-segment 1/3:2/3 --execution-segment-sequence 0,1/3,2/3,1
// order: any
import exec from 'k6/execution';

export const options = {
  scenarios: { each: { executor: 'per-vu-iterations', vus: 7, iterations: 2 } },
};

export default function () {
  console.log(`iteration ${exec.scenario.iterationInTest}`);
  if (__ITER === 0) console.log(`VU ${exec.vu.idInTest} here ${exec.vu.idInInstance}`);
}
