// How long it takes until every one of 10,000 VUs runs, from the start of the process.
import { sleep } from 'k6';
import { Trend } from 'k6/metrics';

const runningAfter = new Trend('running_after', true);

export const options = {
  scenarios: { start: { executor: 'per-vu-iterations', vus: 10000, iterations: 1, maxDuration: '2m' } },
};

export default function () {
  runningAfter.add(Date.now() - Number(__ENV.STARTED_MS));
  sleep(Number(__ENV.SECONDS));
}
