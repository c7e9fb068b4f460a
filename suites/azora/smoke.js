// Does it work at all? Sign-in, profile, courses and caches, by two learners.
import { check } from 'k6';
import http from 'k6/http';
import { SEED, seeded } from '../lib/random.js';
import { scale, think } from '../lib/scale.js';
import * as azora from './api.js';

export const options = scale({
  scenarios: {
    learners: { executor: 'constant-vus', vus: 2, duration: '30s' },
  },
  thresholds: {
    checks: ['rate==1'],
    http_req_duration: ['p(95)<200'],
  },
});

// One request is refused on purpose.
http.setResponseCallback(http.expectedStatuses(200, 401));

const random = seeded(SEED, __VU);

export default function () {
  check(azora.health(), { 'alive': (r) => r.status === 200 });
  const token = azora.signIn(__VU);
  if (!check(token, { 'signed in': (t) => t !== undefined })) return;
  check(azora.profile(token), { 'the profile is mine': (r) => r.json('email') === `learner-${__VU}@azora.example` });
  check(azora.profile('no token'), { 'no profile without a sign-in': (r) => r.status === 401 });
  const page = azora.courses('page=1');
  check(page, { 'a page of courses': (r) => r.status === 200 && r.json('courses').length > 0 });
  const { id, title } = page.json('courses.0');
  check(azora.course(id), { 'the course of the list': (r) => r.json('title') === title });
  check(azora.cacheFigures(), { 'the caches are asked': (figures) => figures.asked > 0 });
  think(random, 1);
}
