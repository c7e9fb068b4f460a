// Azora as its clients see it: learners who sign in, look at their profile and browse the courses.
import { check } from 'k6';
import http from 'k6/http';
import { baseUrl, field, params } from '../lib/http.js';

const BASE = baseUrl();
const API = `${BASE}/api/v1`;

/** Accounts that the service was started with: learner-1@azora.example and so on. */
const LEARNERS = Number(__ENV.LEARNERS || 1000);
const PASSWORD = __ENV.LEARNER_PASSWORD || 'azora-learner-password';

const CATEGORIES = ['data-science', 'programming', 'business', 'design'];
const LEVELS = ['beginner', 'intermediate', 'advanced'];
const WORDS = ['rust', 'statistics', 'teachers', 'modern', 'negotiation', 'photography'];

/** What is asked, in percent of the requests. A sign-in hashes a password, so it is rare, as among people who stay signed in. */
export const MIX = { health: 30, login: 2, profile: 40, courses: 28 };

/** One request of a mix, as `learner`, who is `{ token }`. */
export function act(random, learner, mix = MIX) {
  const actions = {
    health: () => check(health(), { 'alive': (r) => r.status === 200 }),
    login() {
      const token = signIn(random.int(1, LEARNERS));
      if (check(token, { 'signed in': (t) => t !== undefined })) learner.token = token;
    },
    profile: () => check(profile(learner.token), { 'my profile': (r) => field(r, 'email') !== undefined }),
    courses: () => check(courses(someListing(random)), { 'courses': (r) => Array.isArray(field(r, 'courses')) }),
  };
  actions[random.weighted(mix)]();
}

export const health = () => http.get(`${BASE}/health`);

/** Signs in and gives the access token, or undefined when the service refuses. */
export function signIn(number) {
  const email = `learner-${number}@azora.example`;
  const response = http.post(`${API}/auth/login`, JSON.stringify({ email, password: PASSWORD }), params({ json: true }));
  return field(response, 'access_token');
}

/** Tokens of `count` learners, for tests with more users than the service can sign in meanwhile: they share them. */
export function signInSome(count) {
  const tokens = [];
  for (let number = 1; number <= count; number++) tokens.push(signIn(number));
  if (!tokens[0]) {
    throw new Error(`learner-1 cannot sign in at ${BASE}: start it with --azora-seed ${LEARNERS}, or set LEARNER_PASSWORD`);
  }
  return tokens;
}

export const profile = (token, headers) => http.get(`${API}/profile`, params({ token, headers }));

export function changeProfile(token, change) {
  return http.put(`${API}/profile`, JSON.stringify(change), params({ token, json: true }));
}

/** A page of courses. `listing` is its query. */
export const courses = (listing, headers) => http.get(`${API}/courses?${listing}`, params({ headers, name: `${API}/courses` }));

export const course = (id) => http.get(`${API}/courses/${id}`, params({ name: `${API}/courses/{id}` }));

/** What people ask the list for: mostly its beginning, some a category or a level, few a word. */
export function someListing(random) {
  switch (random.weighted({ first: 50, page: 15, category: 20, level: 10, search: 5 })) {
    case 'first': return 'page=1';
    case 'page': return `page=${random.int(2, 3)}`;
    case 'category': return `category=${random.pick(CATEGORIES)}`;
    case 'level': return `level=${random.pick(LEVELS)}`;
    default: return `search=${random.pick(WORDS)}`;
  }
}

/** Every listing that `someListing` may give. */
export function allListings() {
  return [
    'page=1', 'page=2', 'page=3',
    ...CATEGORIES.map((category) => `category=${category}`),
    ...LEVELS.map((level) => `level=${level}`),
    ...WORDS.map((word) => `search=${word}`),
  ];
}

/** How often the caches were asked and had the answer, since the service began. */
export function cacheFigures() {
  const { layers } = http.get(`${API}/cache/stats`).json();
  const sum = (key) => layers.reduce((total, layer) => total + layer[key], 0);
  const hits = sum('hits');
  return { hits, asked: hits + sum('misses') + sum('stampedes') + sum('unavailable') };
}
