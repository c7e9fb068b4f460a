// All at once: 100 clients, 5,000 within ten seconds, and 100 again. The service may refuse some meanwhile; it must live
// through it, and be afterwards as quick as before.
import exec from 'k6/execution';
import { SEED, seeded } from '../lib/random.js';
import { scale, stageAt } from '../lib/scale.js';
import { addUsers, checkAlive, visit } from './api.js';

// `phase` becomes a tag of what is measured in that stage.
const stages = [
  { duration: '30s', target: 100, phase: 'before' },
  { duration: '10s', target: 5000, phase: 'spike' },
  { duration: '50s', target: 5000, phase: 'spike' },
  { duration: '10s', target: 100, phase: 'spike' },
  { duration: '50s', target: 100, phase: 'after' },
];

export const options = scale({
  scenarios: {
    clients: { executor: 'ramping-vus', startVUs: 100, stages },
  },
  thresholds: {
    'accepted_time{phase:before}': ['p(95)<50'],
    'accepted_time{phase:spike}': ['p(95)<200'],
    'accepted_time{phase:after}': ['p(95)<50'],
    'refused{phase:after}': ['rate==0'],
    failed: ['rate<0.001'],
    'checks{check:alive afterwards}': ['rate==1'],
  },
});

const random = seeded(SEED, __VU);

export function setup() {
  addUsers();
}

export default function () {
  exec.vu.metrics.tags.phase = stages[stageAt(stages, exec.scenario.progress)].phase;
  visit(random);
}

export function teardown() {
  checkAlive();
}
