// How long it takes from the start of the process until every one of 10,000 VUs asks, and until each has its answer.
import http from 'k6/http';
import { sleep } from 'k6';
import { Trend } from 'k6/metrics';

const askedAfter = new Trend('asked_after', true);
const answeredAfter = new Trend('answered_after', true);
const sinceStart = () => Date.now() - Number(__ENV.STARTED_MS);

export const options = {
  scenarios: { start: { executor: 'per-vu-iterations', vus: 10000, iterations: 1, maxDuration: '2m' } },
};

export default function () {
  askedAfter.add(sinceStart());
  http.get(__ENV.BASE);
  answeredAfter.add(sinceStart());
  sleep(Number(__ENV.SECONDS));
}
