// A connection storm: 100 new connections a second until there are 10,000, which then stay for a minute. Each sends a ping a
// second.
import exec from 'k6/execution';
import { SEED, seeded } from '../lib/random.js';
import { scale, scaled, secondsLeft } from '../lib/scale.js';
import { session } from '../lib/sessions.js';
import { createSessions, enter, takePart } from './api.js';

const CONNECTIONS = 10000;
const MEMBERS = 50; // of a session
const WHOLE = '160s';

export const options = scale({
  // Else each client would keep two connections, and 20,000 are all that many systems let a process have.
  noConnectionReuse: true,
  setupTimeout: '2m',
  scenarios: {
    connections: {
      executor: 'ramping-vus',
      startVUs: 0,
      stages: [
        { duration: '100s', target: CONNECTIONS },
        { duration: '60s', target: CONNECTIONS },
      ],
      gracefulStop: '10s',
    },
  },
  thresholds: {
    connected: ['rate>0.99'],
    ws_connecting: ['p(95)<1000', 'p(99)<2000'],
    pong_time: ['p(99)<100'],
    recovered: ['rate>0.99'],
    checks: ['rate>0.99'],
  },
});

const random = seeded(SEED, __VU);

export function setup() {
  return { sessions: createSessions(Math.ceil(scaled(CONNECTIONS) / MEMBERS), () => session(random)) };
}

export default function ({ sessions }) {
  if (!secondsLeft(WHOLE)) return;
  const membership = enter(sessions[exec.vu.idInTest % sessions.length], random);
  if (membership) takePart(membership, { seconds: secondsLeft(WHOLE), everyMs: 1000 });
}
