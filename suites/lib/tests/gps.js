// Are the tracks of lib/gps.js what they say? Checks, in Squall and in k6.
import { check } from 'k6';
import { CITIES, MODES, Track } from '../gps.js';
import { seeded } from '../random.js';

export const options = { thresholds: { checks: ['rate==1'] } };

const TRACKS = 30;
const SECONDS = 300;

export default function () {
  for (const mode of Object.keys(MODES)) motion(mode);
  jitter();
  determinism();
}

/** Speeds, stops and turns of many tracks of a mode. */
function motion(mode) {
  const { speedMax, speedsUp, brakes } = MODES[mode];
  let [fastest, quickestChange, stops, turns, leaps, far] = [0, 0, 0, 0, 0, 0];
  for (let number = 0; number < TRACKS; number++) {
    const track = new Track(seeded('motion', mode, number), mode);
    let [place, speed, heading] = [track.place(), 0, track.fix().heading];
    for (let second = 0; second < SECONDS; second++) {
      const fix = track.next(1);
      const there = track.place();
      fastest = Math.max(fastest, fix.speed);
      if (fix.speed > 0 && speed > 0) quickestChange = Math.max(quickestChange, Math.abs(fix.speed - speed));
      if (fix.speed === 0 && speed > 0) stops += 1;
      if (fix.heading !== heading) turns += 1;
      if (distance(place, there) > speedMax + 1e-6) leaps += 1;
      far = Math.max(far, distance([0, 0], there));
      [place, speed, heading] = [there, fix.speed, fix.heading];
    }
  }
  check(fastest, { [`${mode}: never faster than the mode can`]: (v) => v <= speedMax && v > speedMax / 2 });
  // Rounded speeds, and a stop may fall between two fixes.
  check(quickestChange, { [`${mode}: speeds up and brakes as the mode can`]: (v) => v <= Math.max(speedsUp, brakes) * 1.01 + 0.2 });
  check(stops, { [`${mode}: stops at times`]: (n) => n > 0 });
  check(turns, { [`${mode}: turns corners`]: (n) => n > TRACKS });
  check(leaps, { [`${mode}: no fix is further on than a second's way`]: (n) => n === 0 });
  check(far, { [`${mode}: stays in its quarter`]: (metres) => metres < 12 * 274 * 1.5 });
}

/** The GPS's error has the deviation that the track says, in both directions, around the true place. */
function jitter() {
  const track = new Track(seeded('jitter'), 'walk', CITIES[0]);
  const [truth, errors] = [track.degrees(...track.place()), []];
  for (let i = 0; i < 4000; i++) {
    const fix = track.fix();
    errors.push((fix.lat - truth.lat) * 111195, (fix.lon - truth.lon) * 111195 * track.city.cosine);
  }
  const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length;
  const deviation = Math.sqrt(errors.reduce((sum, error) => sum + (error - mean) ** 2, 0) / errors.length);
  const within = errors.filter((error) => Math.abs(error) < track.deviation).length / errors.length;
  check(mean, { 'jitter: none in the mean': (metres) => Math.abs(metres) < 0.2 });
  check(deviation / track.deviation, { 'jitter: the deviation it says': (ratio) => ratio > 0.97 && ratio < 1.03 });
  check(within, { 'jitter: 68 % within one deviation': (share) => share > 0.66 && share < 0.71 });
}

/** The same seed gives the same track, here and in every engine; another seed gives another. */
function determinism() {
  const end = (seed) => JSON.stringify(new Track(seeded(seed, 7)).next(600));
  check(end('a'), { 'the same seed, the same track': (fix) => fix === end('a') });
  check(end('a'), { 'another seed, another track': (fix) => fix !== end('b') });
  check(end('1'), { 'the track that it has always been': (fix) => fix === KNOWN });
}

const KNOWN = '{"lat":34.997395,"lon":135.764302,"accuracy":6.5,"speed":1.6,"heading":90}';

function distance([north, east], [otherNorth, otherEast]) {
  return Math.sqrt((north - otherNorth) ** 2 + (east - otherEast) ** 2);
}
