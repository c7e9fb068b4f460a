// Each VU runs its own number of iterations, counted from zero.
// order: any
import { sleep } from 'k6';

export const options = {
  scenarios: { each: { executor: 'per-vu-iterations', vus: 3, iterations: 4 } },
};

export default function () {
  console.log(`VU ${__VU} iteration ${__ITER}`);
  sleep(0.01);
}
