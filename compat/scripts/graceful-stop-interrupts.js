// An iteration that outlasts gracefulStop is interrupted and does not count.
// compare: exit, counts, console, errors
// ignore: data_sent, data_received
import { sleep } from 'k6';
import { Counter } from 'k6/metrics';

const started = new Counter('started');

export const options = {
  scenarios: { hurried: { executor: 'constant-vus', vus: 2, duration: '1s', gracefulStop: '0s' } },
};

export default function () {
  started.add(1);
  sleep(0.1);
  sleep(30);
}
