// People all over the world, on the networks that there are: 50 to 500 ms away, 1 to 5 % of what is sent lost on the way,
// connections that break. Who loses the connection comes back and goes on where it was.
//
// `options.network` makes these networks, in Squall, without privileges; k6 does not know it, says so, and runs the same test
// on the network there is.
import { sleep } from 'k6';
import exec from 'k6/execution';
import { Track } from '../lib/gps.js';
import { SEED, seeded } from '../lib/random.js';
import { scale, scaled, secondsLeft, stretched } from '../lib/scale.js';
import { session } from '../lib/sessions.js';
import { createSessions, enter, takePart } from './api.js';

const PEOPLE = 1000;
const MEMBERS = 5; // of a session
const WHOLE = '5m';
const COMING_S = 20;

export const options = scale({
  scenarios: {
    people: { executor: 'constant-vus', vus: PEOPLE, duration: WHOLE, gracefulStop: '15s' },
  },
  network: {
    scenarios: {
      people: [
        { weight: 40, profile: { name: 'same continent', latency: '50ms', jitter: '10ms', loss: '1%' } },
        { weight: 30, profile: { name: 'across the ocean', latency: '150ms', jitter: '20ms', loss: '2%' } },
        { weight: 20, profile: { name: 'far side', latency: '300ms', jitter: '40ms', loss: '3%', resets: '0.5/min' } },
        { weight: 10, profile: { name: 'bad mobile', latency: '500ms', jitter: '100ms', loss: '5%', resets: '1/min' } },
      ],
    },
  },
  thresholds: {
    // The way there and the way back of two networks, and what has to be sent again.
    broadcast_delay: ['p(50)<300', 'p(95)<1000', 'p(99)<3000'],
    connected: ['rate>0.99'],
    recovered: ['rate>0.99'],
    recovery_time: ['p(95)<5000'],
    checks: ['rate>0.99'],
  },
});

const random = seeded(SEED, __VU);

export function setup() {
  return { sessions: createSessions(Math.ceil(scaled(PEOPLE) / MEMBERS), () => session(random)) };
}

export default function ({ sessions }) {
  sleep(stretched(`${COMING_S}s`, WHOLE) * random.next());
  if (!secondsLeft(WHOLE)) return;
  const membership = enter(sessions[exec.vu.idInTest % sessions.length], random);
  if (!membership) return;
  takePart(membership, {
    seconds: secondsLeft(WHOLE),
    everyMs: 1000,
    track: new Track(random),
    watches: true,
  });
}
