// Are the people and sessions of lib/people.js and lib/sessions.js believable? Checks, in Squall and in k6.
import { check } from 'k6';
import { MODES } from '../gps.js';
import { ZONES, emailOf, person } from '../people.js';
import { seeded } from '../random.js';
import { session, sessionSize } from '../sessions.js';

export const options = { thresholds: { checks: ['rate==1'] } };

const MANY = 10000;

export default function () {
  people();
  sessions();
}

function people() {
  const random = seeded('people');
  const crowd = Array.from({ length: MANY }, () => person(random));
  const millions = ZONES.reduce((sum, zone) => sum + zone.millions, 0);
  for (const zone of ZONES.filter((zone) => zone.millions > 100)) {
    const share = crowd.filter((one) => one.timeZone === zone.timeZone).length / MANY;
    const expected = zone.millions / millions;
    check(share, { [`${zone.timeZone}: its share of the people`]: (s) => Math.abs(s - expected) < 0.015 });
  }
  const zones = new Set(crowd.map(({ timeZone }) => timeZone));
  check(zones.size, { 'people from nearly everywhere': (n) => n >= ZONES.length - 3 });
  check(new Set(crowd.map(({ culture }) => culture)).size, { 'names of ten cultures': (n) => n === 10 });
  check(new Set(crowd.map(({ name }) => name)).size, { 'names come again, as they do': (n) => n > 1500 && n < MANY });
  const mailboxes = crowd.map(({ mailbox }) => mailbox);
  check(mailboxes, { 'mailboxes are plain': (list) => list.every((mailbox) => /^[a-z]+\.[a-z]+$/.test(mailbox)) });
  const emails = new Set(crowd.map((one, i) => emailOf(one, 'run', i)));
  check(emails.size, { 'nobody has the address of another': (n) => n === MANY });

  const birthdays = crowd.map(({ birthday }) => birthday);
  check(birthdays, { 'birthdays are days': (list) => list.every(isDay) });
  check(birthdays, { 'grown up, and alive': (list) => list.every((day) => day >= '1940-01-01' && day <= '2007-12-31') });
  const leapers = birthdays.filter((day) => day.endsWith('-02-29')).length;
  check(leapers, { 'a few were born on 29 February': (n) => n >= 2 && n <= 16 }); // 6.8 are expected
  const months = new Set(birthdays.map((day) => day.slice(5, 7)));
  check(months.size, { 'in every month': (n) => n === 12 });

  const first = (seed) => JSON.stringify(person(seeded(seed)));
  check(first('a'), { 'the same seed, the same person': (p) => p === first('a') && p !== first('b') });
  check(first('known'), { 'the person that it has always been': (p) => p === KNOWN });
}

const KNOWN = '{"given":"Ping","family":"Hu","name":"Hu Ping","culture":"chinese","timeZone":"Asia/Shanghai","birthday":"1986-11-15","mailbox":"ping.hu"}';

function sessions() {
  const random = seeded('sessions');
  const many = Array.from({ length: 2000 }, () => session(random));
  check(many, { 'names that the service takes': (list) => list.every(({ name }) => name.length > 0 && name.length <= 80) });
  check(many, { 'metadata that the service takes': (list) => list.every(({ metadata }) => JSON.stringify(metadata).length <= 2048) });
  check(many, { 'their people move in a mode that there is': (list) => list.every(({ mode }) => mode in MODES) });
  check(new Set(many.map(({ name }) => name)).size, { 'names of many kinds': (n) => n > 150 });
  const sizes = Array.from({ length: 2000 }, () => sessionSize(random));
  const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
  check(mean, { 'four people or so': (m) => m > 3.5 && m < 4.8 });
  check(Math.max(...sizes), { 'sometimes twenty': (n) => n === 20 });
}

function isDay(text) {
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}
