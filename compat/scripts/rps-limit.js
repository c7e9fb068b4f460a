// --rps holds requests back over all VUs.
// flags: --rps 10 -u 2 -i 6
// compare: exit, console, errors, checks
import http from 'k6/http';
import exec from 'k6/execution';

export default function () {
  http.get(`${__ENV.BASE}/get`);
  if (exec.scenario.iterationInTest === 5) {
    console.log('took long enough:', exec.instance.currentTestRunDuration > 400);
  }
}
