// Connex as its clients see it: a function for each operation, and what a signed-in person keeps.
import http from 'k6/http';
import { baseUrl, field, params } from '../lib/http.js';
import { emailOf } from '../lib/people.js';

const BASE = baseUrl();
const USERS = `${BASE}/api/v1/users`;
const AUTH = `${BASE}/api/v1/auth`;

/** Who may add and delete users, and the token that opens the metrics; of the service's settings. */
const ADMIN_EMAIL = __ENV.ADMIN_EMAIL || 'admin@example.com';
const ADMIN_PASSWORD = __ENV.ADMIN_PASSWORD || 'breakwater-demo';
const METRICS_TOKEN = __ENV.METRICS_TOKEN || 'breakwater-demo';

const PASSWORD = 'a password of tests';

export const health = () => http.get(`${BASE}/health`);
export const ready = () => http.get(`${BASE}/ready`);
export const metrics = (token = METRICS_TOKEN) => http.get(`${BASE}/metrics`, params({ token }));

export function register({ email, name }) {
  return http.post(`${AUTH}/register`, JSON.stringify({ email, name, password: PASSWORD }), params({ json: true }));
}

export function login(email, password = PASSWORD) {
  return http.post(`${AUTH}/login`, JSON.stringify({ email, password }), params({ json: true }));
}

export function refresh(refreshToken) {
  return http.post(`${AUTH}/refresh`, JSON.stringify({ refresh_token: refreshToken }), params({ json: true }));
}

export const logout = (token) => http.post(`${AUTH}/logout`, null, params({ token }));

/** Reads the signed-in person. With the `etag` of an earlier answer, one that has not changed is not sent again (304). */
export function me(token, etag) {
  return http.get(`${USERS}/me`, params({ token, headers: etag ? { 'If-None-Match': etag } : {} }));
}

export const read = (token, id) => http.get(`${USERS}/${id}`, params({ token, name: `${USERS}/{id}` }));

export function list(token, query) {
  return http.get(`${USERS}?${query}`, params({ token, name: USERS }));
}

export function create(token, { email, name }) {
  return http.post(USERS, JSON.stringify({ email, name, password: PASSWORD }), params({ token, json: true }));
}

/** Changes the name of the user that was read as `version`. Refused with 409 when it is not the newest version any more:
 *  an expected answer, which is not counted as a failed request. */
export function rename(token, { id, version }, name) {
  return http.patch(`${USERS}/${id}`, JSON.stringify({ name, version }), params({
    token,
    json: true,
    name: `${USERS}/{id}`,
    responseCallback: http.expectedStatuses(200, 409),
  }));
}

export const remove = (token, id) => http.del(`${USERS}/${id}`, null, params({ token, name: `${USERS}/{id}` }));

/** The admin's access token. */
export function adminToken() {
  const token = field(login(ADMIN_EMAIL, ADMIN_PASSWORD), 'access_token');
  if (!token) throw new Error(`${ADMIN_EMAIL} cannot sign in at ${BASE}: set ADMIN_EMAIL and ADMIN_PASSWORD`);
  return token;
}

/** Registers a person, signs in and gives `{ email, token, refreshToken }`, or undefined when the service refuses. */
export function openAccount(person, ...unique) {
  const email = emailOf(person, ...unique);
  register({ email, name: person.name });
  return signIn(email);
}

/** Signs in and gives `{ email, token, refreshToken }`, or undefined when the service refuses. */
export function signIn(email) {
  return account(email, login(email));
}

/** What `response`, of a sign-in or a refresh, lets the person do. */
export function account(email, response) {
  const token = field(response, 'access_token');
  return token && { email, token, refreshToken: field(response, 'refresh_token') };
}
