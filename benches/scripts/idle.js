// Many VUs that hold a connection each and mostly wait.
import http from 'k6/http';
import { sleep } from 'k6';

export const options = {
  scenarios: { idle: { executor: 'per-vu-iterations', vus: 5000, iterations: 1, maxDuration: '2m' } },
};

export default function () {
  http.get(__ENV.BASE);
  sleep(Number(__ENV.SECONDS));
}
