// Without options a script runs one iteration with one VU.
import exec from 'k6/execution';

export default function () {
  console.log(`VU ${__VU} iteration ${__ITER} in ${exec.scenario.name} by ${exec.scenario.executor}`);
}
