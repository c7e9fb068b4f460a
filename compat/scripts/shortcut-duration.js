// VUs and a duration from flags: looping VUs.
// flags: -u 2 -d 1s
// ignore: iterations, iteration_duration, data_sent, data_received
import exec from 'k6/execution';
import { sleep } from 'k6';

export default function () {
  if (exec.vu.idInTest === 1 && __ITER === 0) console.log(exec.scenario.executor);
  sleep(0.1);
}
