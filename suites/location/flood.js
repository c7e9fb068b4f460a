// A flood of updates: 100 sessions of 50 people, each of whom sends five positions a second: 25,000 updates a second, of which
// each is for 49 others.
import { check, sleep } from 'k6';
import exec from 'k6/execution';
import { Track } from '../lib/gps.js';
import { SEED, seeded } from '../lib/random.js';
import { scale, scaled, secondsLeft, stretched } from '../lib/scale.js';
import { session } from '../lib/sessions.js';
import { createSessions, enter, takePart } from './api.js';

const MEMBERS = 50; // of a session
const WHOLE = '2m';
const COMING_S = 10; // over which people come: not all in the same moment

export const options = scale({
  scenarios: {
    people: { executor: 'constant-vus', vus: 100 * MEMBERS, duration: WHOLE, gracefulStop: '10s' },
  },
  thresholds: {
    broadcast_delay: ['p(99)<100'],
    connected: ['rate>0.99'],
    recovered: ['rate>0.99'],
    checks: ['rate>0.99'],
  },
});

const random = seeded(SEED, __VU);

export function setup() {
  return { sessions: createSessions(Math.ceil(scaled(100 * MEMBERS) / MEMBERS), () => session(random)) };
}

export default function ({ sessions }) {
  const number = exec.vu.idInTest - 1;
  sleep(stretched(`${COMING_S}s`, WHOLE) * random.next());
  if (!secondsLeft(WHOLE)) return;
  const membership = enter(sessions[Math.floor(number / MEMBERS) % sessions.length], random);
  if (!membership) return;
  const watches = number % MEMBERS === 0;
  takePart(membership, {
    seconds: secondsLeft(WHOLE),
    everyMs: 200,
    track: new Track(random),
    watches,
    onEnd: (heard) => watches && check(heard, { 'nearly all others were heard': (n) => n >= others(sessions) }),
  });
}

/** Of whom at least positions must have come, in a session: all but the few who could not join. */
function others(sessions) {
  const members = Math.min(MEMBERS, Math.floor(scaled(100 * MEMBERS) / sessions.length));
  return Math.floor(0.95 * (members - 1));
}
