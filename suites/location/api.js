// Location sharing as its clients see it: sessions, and people who take part in them over a WebSocket.
//
// What is measured, besides what WebSockets measure themselves:
//
//   connected         share of connections that were opened
//   broadcast_delay   from sending a position to its arrival at another member, by the time that the position carries
//   pong_time         from a ping to its pong
//   recovered         share of lost connections that were opened again, and `recovery_time`, how long that took
import { check } from 'k6';
import http from 'k6/http';
import { Counter, Rate, Trend } from 'k6/metrics';
import { WebSocket } from 'k6/websockets';
import { baseUrl, field, params } from '../lib/http.js';
import { person } from '../lib/people.js';

const BASE = baseUrl();
const SESSIONS = `${BASE}/api/v1/sessions`;
const SOCKETS = SESSIONS.replace(/^http/, 'ws');

const OPEN = 1; // a WebSocket's readyState
const RETRY_MS = 1000;
const RETRIES_MAX = 5;

const connected = new Rate('connected');
const broadcastDelay = new Trend('broadcast_delay', true);
const pongTime = new Trend('pong_time', true);
const recovered = new Rate('recovered');
const recoveryTime = new Trend('recovery_time', true);
const positionsSent = new Counter('positions_sent');

export const create = ({ name, metadata }) => http.post(SESSIONS, JSON.stringify({ name, metadata }), params({ json: true }));
export const list = (query) => http.get(`${SESSIONS}?${query}`, params({ name: SESSIONS }));
export const show = (id) => http.get(`${SESSIONS}/${id}`, params({ name: `${SESSIONS}/{id}` }));
export const remove = (id, token) => http.del(`${SESSIONS}/${id}`, null, params({ token, name: `${SESSIONS}/{id}` }));

export function join(id, name) {
  return http.post(`${SESSIONS}/${id}/join`, JSON.stringify({ name }), params({ json: true, name: `${SESSIONS}/{id}/join` }));
}

export function leave({ session, token }) {
  return http.post(`${SESSIONS}/${session}/leave`, null, params({ token, name: `${SESSIONS}/{id}/leave` }));
}

/** Creates sessions for a test's people and gives their ids. */
export function createSessions(count, describe) {
  const ids = [];
  for (let i = 0; i < count; i++) {
    const created = create(describe());
    if (!check(created, { 'session created': (r) => r.status === 201 })) {
      throw new Error(`no session: ${created.status} ${created.body}`);
    }
    ids.push(created.json('id'));
  }
  return ids;
}

/** Joins a session as somebody and gives the membership, `{ session, participant, token }`, or undefined. */
export function enter(sessionId, random) {
  const joined = join(sessionId, person(random).name);
  return check(joined, { 'joined': (r) => r.status === 201 }) ? joined.json() : undefined;
}

/**
 * Takes part in a session for a while, and comes back when the connection is lost. Returns at once: what follows happens on the
 * VU's event loop, and the iteration lasts until the last connection is closed.
 *
 *   seconds   how long
 *   everyMs   how often a message is sent
 *   track     whose next fixes are sent as positions; without a track, pings are sent
 *   watches   whether to look at the positions of others. One member a session is enough to measure the delay; all of them would
 *             measure how fast this machine reads JSON
 *   onEnd     called when it is over, with the number of others whose positions came
 */
export function takePart(membership, { seconds, everyMs, track, watches = false, onEnd = () => {} }) {
  const url = `${SOCKETS}/${membership.session}/ws?token=${membership.token}`;
  const end = Date.now() + seconds * 1000;
  const newest = {}; // of each member, the count of the newest position
  let [sent, firstSeq, lastSeq] = [0, 0, 0];
  let [pingedAt, lostAt, retries] = [0, 0, 0];
  let socket;

  connect();
  const ticking = setInterval(say, everyMs);
  const ending = setTimeout(finish, Math.max(0, end - Date.now()));

  function connect() {
    let isOpen = false;
    socket = new WebSocket(lastSeq ? `${url}&since=${lastSeq}` : url, null, { tags: { name: `${SOCKETS}/{id}/ws` } });
    socket.onopen = () => {
      isOpen = true;
      if (!lostAt) return connected.add(true);
      recovered.add(true);
      recoveryTime.add(Date.now() - lostAt);
      [lostAt, retries] = [0, 0];
      return undefined;
    };
    if (watches || !track) socket.onmessage = ({ data }) => hear(data); // nobody else needs to be woken
    socket.onerror = () => {}; // a close follows
    socket.onclose = () => {
      if (Date.now() >= end) return;
      if (!isOpen && !lostAt) connected.add(false);
      lostAt = lostAt || Date.now();
      retries += 1;
      if (retries <= RETRIES_MAX) return void setTimeout(() => Date.now() < end && connect(), RETRY_MS);
      recovered.add(false);
      finish();
    };
  }

  function say() {
    if (socket.readyState !== OPEN) return;
    if (!track) {
      pingedAt = Date.now();
      socket.send('{"type":"ping"}');
      return;
    }
    const { lat, lon, accuracy, speed, heading } = track.next(everyMs / 1000);
    sent += 1;
    socket.send(JSON.stringify({ type: 'position', lat, lon, accuracy, speed, heading, at: Date.now(), seq: sent }));
    positionsSent.add(1);
  }

  function hear(data) {
    if (pingedAt && data.startsWith('{"type":"pong"')) {
      pongTime.add(Date.now() - pingedAt);
      pingedAt = 0;
    }
    if (!watches) return;
    const message = JSON.parse(data);
    if (message.seq) lastSeq = message.seq;
    if (message.type === 'welcome') firstSeq = message.seq;
    if (message.type === 'positions') note(message, Date.now());
  }

  function note({ seq: messageSeq, positions }, now) {
    for (const { participant, at, seq } of positions) {
      if (participant === membership.participant) continue;
      if (seq < newest[participant]) check(seq, { 'positions never go back': () => false });
      newest[participant] = seq;
      // Who has just come is told where the others have been for a while: that is not a delay.
      if (messageSeq > firstSeq) broadcastDelay.add(now - at);
    }
  }

  function finish() {
    clearInterval(ticking);
    clearTimeout(ending);
    socket.close();
    onEnd(Object.keys(newest).length);
  }
}
