// How many are too many? Up to 20,000 people who join a session, share their way for a quarter of a minute, and join another.
// Each level has figures of its own in the summary, which tell the last one that was served well; what fails the test is a
// service that breaks.
import { check } from 'k6';
import exec from 'k6/execution';
import { Track } from '../lib/gps.js';
import { SEED, seeded } from '../lib/random.js';
import { scale, scaled, secondsLeft, stageAt } from '../lib/scale.js';
import { session } from '../lib/sessions.js';
import { createSessions, enter, list, takePart } from './api.js';

const LEVELS = [1000, 2500, 5000, 10000, 15000, 20000];
const MEMBERS = 10; // of a session, on average
const WHOLE = '6m';

const stages = LEVELS.map((target) => ({ duration: '1m', target, people: String(target) }));

const thresholds = {
  'checks{check:alive afterwards}': ['rate==1'],
};
for (const level of LEVELS) {
  thresholds[`broadcast_delay{people:${level}}`] = ['max>=0']; // always so: it is there for the summary to show it
  thresholds[`connected{people:${level}}`] = ['rate>=0'];
}

export const options = scale({
  setupTimeout: '5m',
  scenarios: {
    people: { executor: 'ramping-vus', startVUs: 0, stages, gracefulStop: '10s' },
  },
  thresholds,
});

const random = seeded(SEED, __VU);

export function setup() {
  return { sessions: createSessions(Math.ceil(scaled(LEVELS[LEVELS.length - 1]) / MEMBERS), () => session(random)) };
}

export default function ({ sessions }) {
  exec.vu.metrics.tags.people = stages[stageAt(stages, exec.scenario.progress)].people;
  const seconds = Math.min(secondsLeft(WHOLE), random.between(10, 20));
  if (!seconds) return;
  const membership = enter(random.pick(sessions), random);
  if (membership) takePart(membership, { seconds, everyMs: 2000, track: new Track(random), watches: random.chance(0.2) });
}

export function teardown() {
  check(list('limit=20'), { 'alive afterwards': (r) => r.status === 200 });
}
