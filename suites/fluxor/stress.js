// How many are too many? Up to 20,000 clients in eight minutes. Each level has figures of its own in the summary, whose limits
// tell the last one that was served well; what fails the test is a service that breaks.
import exec from 'k6/execution';
import { SEED, seeded } from '../lib/random.js';
import { scale, stageAt } from '../lib/scale.js';
import { addUsers, checkAlive, visit } from './api.js';

const LEVELS = [2500, 5000, 7500, 10000, 12500, 15000, 20000];

const stages = [
  ...LEVELS.map((target) => ({ duration: '1m', target, clients: String(target) })),
  { duration: '1m', target: 0, clients: 'fewer' },
];

const thresholds = {
  failed: ['rate<0.01'],
  'checks{check:alive afterwards}': ['rate==1'],
};
for (const level of LEVELS) {
  thresholds[`accepted_time{clients:${level}}`] = ['max>=0']; // always so: it is there for the summary to show it
  thresholds[`refused{clients:${level}}`] = ['rate>=0'];
}

export const options = scale({
  scenarios: {
    clients: { executor: 'ramping-vus', startVUs: 100, stages },
  },
  thresholds,
});

const random = seeded(SEED, __VU);

export function setup() {
  addUsers();
}

export default function () {
  exec.vu.metrics.tags.clients = stages[stageAt(stages, exec.scenario.progress)].clients;
  visit(random);
}

export function teardown() {
  checkAlive();
}
