// delayAbortEval holds the abort back; the run ends first.
// ignore: iterations, iteration_duration, data_sent, data_received, bad_things
import { sleep } from 'k6';
import { Counter } from 'k6/metrics';

const counter = new Counter('bad_things');

export const options = {
  vus: 1,
  duration: '3s',
  thresholds: { bad_things: [{ threshold: 'count<2', abortOnFail: true, delayAbortEval: '1m' }] },
};

export default function () {
  counter.add(1);
  sleep(0.2);
}
