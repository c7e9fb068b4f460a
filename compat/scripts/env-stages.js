// Stages from the environment.
// env: K6_STAGES=500ms:2,500ms:0
// ignore: iterations, iteration_duration, data_sent, data_received
// compare: -json
import exec from 'k6/execution';
import { sleep } from 'k6';

export default function () {
  if (exec.vu.idInTest === 1 && __ITER === 0) console.log(exec.scenario.executor);
  sleep(0.1);
}
