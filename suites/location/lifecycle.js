// Sessions come and go: 1,000 are created a minute. Some people join each, some of them share their way for a while, some leave
// before the end, and whoever created the session deletes it.
import { check } from 'k6';
import { Trend } from 'k6/metrics';
import { Track } from '../lib/gps.js';
import { SEED, seeded } from '../lib/random.js';
import { scale } from '../lib/scale.js';
import { session, sessionSize } from '../lib/sessions.js';
import { create, enter, leave, list, remove, show, takePart } from './api.js';

export const options = scale({
  scenarios: {
    sessions: {
      executor: 'constant-arrival-rate',
      rate: 1000,
      timeUnit: '1m',
      duration: '5m',
      preAllocatedVUs: 100,
      maxVUs: 400,
      gracefulStop: '15s',
    },
  },
  thresholds: {
    create_time: ['p(95)<200', 'p(99)<500'],
    join_time: ['p(95)<200', 'p(99)<500'],
    leave_time: ['p(95)<200', 'p(99)<500'],
    connected: ['rate>0.99'],
    http_req_failed: ['rate<0.01'],
    checks: ['rate>0.99'],
  },
});

const createTime = new Trend('create_time', true);
const joinTime = new Trend('join_time', true);
const leaveTime = new Trend('leave_time', true);
const random = seeded(SEED, __VU);

export default function () {
  const described = session(random);
  const created = create(described);
  createTime.add(created.timings.duration);
  if (!check(created, { 'created as described': (r) => r.status === 201 && r.json('name') === described.name })) return;
  const { id, owner_token: ownerToken } = created.json();

  const members = [];
  for (let size = sessionSize(random); size > 0; size--) {
    const start = Date.now();
    const membership = enter(id, random);
    joinTime.add(Date.now() - start);
    if (membership) members.push(membership);
  }
  check(show(id), { 'everybody is there': (r) => r.status === 200 && r.json('members') === members.length });
  check(list('limit=20'), { 'the list is there': (r) => r.status === 200 });

  // Each of them at random: shares the way for some seconds, and then leaves; leaves at once; or stays until the end.
  let busy = 1;
  for (const membership of members) {
    if (random.chance(0.5)) {
      busy += 1;
      const shared = { seconds: random.between(1, 5), everyMs: 1000, track: new Track(random, described.mode) };
      takePart(membership, { ...shared, onEnd: () => depart(membership) });
    } else if (random.chance(0.5)) {
      goodbye(membership);
    }
  }
  finishOne();

  function depart(membership) {
    goodbye(membership);
    finishOne();
  }

  function finishOne() {
    busy -= 1;
    if (busy === 0) check(remove(id, ownerToken), { 'deleted': (r) => r.status === 204 });
  }
}

function goodbye(membership) {
  const left = leave(membership);
  leaveTime.add(left.timings.duration);
  check(left, { 'left': (r) => r.status === 204 });
}
