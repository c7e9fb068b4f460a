// VUs and iterations from flags: shared iterations.
// flags: -u 2 -i 6
import exec from 'k6/execution';

export default function () {
  if (exec.scenario.iterationInTest === 0) console.log(exec.scenario.executor);
}
