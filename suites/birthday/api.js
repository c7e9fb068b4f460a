// The birthday service as its clients see it, and people whose message is due at once.
import { sleep } from 'k6';
import http from 'k6/http';
import { baseUrl, field, params } from '../lib/http.js';
import { emailOf, person } from '../lib/people.js';

const BASE = baseUrl();
const USERS = `${BASE}/api/v1/users`;

/** The service's tokens: for its API, where it asks for one, and for running its schedulers. */
const TOKEN = __ENV.BIRTHDAY_TOKEN;
const ADMIN_TOKEN = __ENV.ADMIN_TOKEN || 'breakwater-demo';

/** Zones all around the world without summer time, as hours from UTC: somewhere it is always the middle of the day. */
const STEADY_ZONES = {
  'Pacific/Honolulu': -10, 'America/Phoenix': -7, 'America/Bogota': -5, 'America/Sao_Paulo': -3, 'Africa/Lagos': 1,
  'Africa/Nairobi': 3, 'Asia/Dubai': 4, 'Asia/Kolkata': 5.5, 'Asia/Dhaka': 6, 'Asia/Bangkok': 7, 'Asia/Shanghai': 8,
  'Asia/Tokyo': 9, 'Australia/Brisbane': 10,
};
const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;

/** Messages go out at nine where people live. Who is added after nine on the birthday gets theirs at once. */
const SEND_HOUR = 9;

export const create = (user) => http.post(USERS, JSON.stringify(user), request({ json: true }));
export const read = (id) => http.get(`${USERS}/${id}`, request({ name: `${USERS}/{id}` }));
export const list = (query) => http.get(`${USERS}?${query}`, request({ name: USERS }));
export const remove = (id) => http.del(`${USERS}/${id}`, null, request({ name: `${USERS}/{id}` }));

/** Replaces a user, who was read as this version. */
export function update(id, version, user) {
  return http.put(`${USERS}/${id}`, JSON.stringify({ ...user, version }), request({ json: true, name: `${USERS}/{id}` }));
}

/** Adds many users, fifty at a time, and gives how many were taken. */
export function createAll(users) {
  let taken = 0;
  for (let i = 0; i < users.length; i += 50) {
    const requests = users.slice(i, i + 50).map((user) => ['POST', USERS, JSON.stringify(user), request({ json: true })]);
    taken += http.batch(requests).filter((response) => response.status === 201).length;
  }
  return taken;
}

/** The user's messages: `{ state, attempts, due_at, scheduled_at, enqueued_at, delivered_at, … }` each. */
export function messagesOf(userId) {
  const url = `${BASE}/api/v1/messages`;
  return field(http.get(`${url}?user_id=${userId}`, request({ name: url })), 'messages') || [];
}

export const messages = (query) => http.get(`${BASE}/api/v1/messages?${query}`, request({ name: `${BASE}/api/v1/messages` }));

/** How many messages wait: `{ outbox, ready, delayed, in_progress, dead }`. */
export const queue = () => http.get(`${BASE}/api/v1/queue`, request({}));

/** Runs a scheduler now, 'daily' or 'minute', as the service itself does once a day and once a minute. */
export function runScheduler(part) {
  const url = `${BASE}/api/v1/schedule/run?part=${part}`;
  return http.post(url, null, params({ token: ADMIN_TOKEN, timeout: '120s', responseCallback: http.expectedStatuses(200) }));
}

/** Asks until the user's message is delivered, for `seconds` at most. Gives the message, or undefined. */
export function awaitDelivery(userId, seconds) {
  const end = Date.now() + seconds * 1000;
  do {
    const message = messagesOf(userId).find(({ state }) => state === 'delivered');
    if (message) return message;
    sleep(0.25);
  } while (Date.now() < end);
  return undefined;
}

/** Milliseconds from the queue to the mail server, on the service's clock. */
export function workerTime({ enqueued_at: enqueued, delivered_at: delivered }) {
  return Date.parse(delivered) - Date.parse(enqueued);
}

/** Somebody to add. `unique` makes the address theirs alone. */
export function somebody(random, ...unique) {
  const one = person(random);
  return { name: one.name, email: emailOf(one, ...unique), birthday: one.birthday, time_zone: one.timeZone };
}

/** Somebody whose birthday is today and whose message is due: it is past nine where they live, and not yet late. */
export function celebrant(random, ...unique) {
  const isDaytime = (zone) => {
    const hour = new Date(Date.now() + STEADY_ZONES[zone] * HOUR_MS).getUTCHours();
    return hour > SEND_HOUR && hour < 23;
  };
  const zone = random.pick(Object.keys(STEADY_ZONES).filter(isDaytime));
  return { ...bornOn(random, Date.now() + STEADY_ZONES[zone] * HOUR_MS, ...unique), time_zone: zone };
}

/** Somebody whose birthday is tomorrow: foreseen already, not due yet. */
export function tomorrowsCelebrant(random, ...unique) {
  return bornOn(random, Date.now() + DAY_MS, ...unique);
}

function bornOn(random, ms, ...unique) {
  const user = somebody(random, ...unique);
  const day = new Date(ms).toISOString().slice(5, 10);
  const year = Number(user.birthday.slice(0, 4));
  return { ...user, birthday: `${day === '02-29' ? year - (year % 4) : year}-${day}` };
}

function request(more) {
  return params({ token: TOKEN, ...more });
}
