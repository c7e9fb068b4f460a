// Iterations with a duration: the duration is the maximum.
// flags: -u 1 -i 3 -d 30s
import exec from 'k6/execution';

export default function () {
  console.log(`${exec.scenario.executor} ${JSON.stringify(exec.test.options.scenarios)}`);
}
