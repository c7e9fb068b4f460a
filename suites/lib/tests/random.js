// Are the numbers of lib/random.js random, and always the same? Checks, in Squall and in k6.
import { check } from 'k6';
import { seeded } from '../random.js';

export const options = { thresholds: { checks: ['rate==1'] } };

const MANY = 20000;

export default function () {
  const random = seeded('test');
  const numbers = take(MANY, random.next);
  const tenths = Array(10).fill(0);
  for (const number of numbers) tenths[Math.floor(10 * number)] += 1;
  check(numbers, { 'from 0 to 1': (list) => list.every((n) => n >= 0 && n < 1) });
  check(tenths, { 'as many in each tenth': (counts) => counts.every((n) => Math.abs(n / MANY - 0.1) < 0.01) });
  check(numbers, { 'what follows does not depend on what was': (list) => Math.abs(correlation(list)) < 0.02 });

  const dice = new Set(take(1000, () => random.int(1, 6)));
  check(dice, { 'whole numbers from the first to the last': (set) => [...set].sort().join('') === '123456' });

  const weights = { often: 80, rarely: 19, never: 0, hardly: 1 };
  const share = (key) => take(MANY, () => random.weighted(weights)).filter((one) => one === key).length / MANY;
  check(share('often'), { 'weights are shares': (s) => Math.abs(s - 0.8) < 0.01 });
  check(share('hardly'), { 'small weights too': (s) => Math.abs(s - 0.01) < 0.003 });
  check(share('never'), { 'what has no weight does not come': (s) => s === 0 });

  const normal = take(MANY, () => random.normal(10, 2));
  const mean = normal.reduce((sum, n) => sum + n, 0) / MANY;
  const deviation = Math.sqrt(normal.reduce((sum, n) => sum + (n - mean) ** 2, 0) / MANY);
  check(mean, { 'the mean of the normal distribution': (m) => Math.abs(m - 10) < 0.05 });
  check(deviation, { 'its deviation': (d) => Math.abs(d - 2) < 0.05 });

  const word = (...seeds) => take(4, seeded(...seeds).next).join();
  check(word(1, 2), { 'the same seed, the same numbers': (w) => w === word('1', '2') });
  check(word(1, 2), { 'seeds that are alike, other numbers': (w) => w !== word(1, 3) && w !== word(2, 2) && w !== word(12) });
  const neighbours = take(1000, (i) => seeded(1, i).next());
  check(neighbours, { 'VUs are independent of each other': (list) => Math.abs(correlation(list)) < 0.1 });
  check(take(3, seeded('known').next).join(), { 'the numbers that they have always been': (w) => w === KNOWN });
}

const KNOWN = '0.4172525955364108,0.6170363256242126,0.33168800943531096';

function take(count, next) {
  const list = [];
  for (let i = 0; i < count; i++) list.push(next(i));
  return list;
}

/** Of each number with the next. */
function correlation(list) {
  const mean = list.reduce((sum, n) => sum + n, 0) / list.length;
  let [together, alone] = [0, 0];
  list.forEach((n, i) => {
    alone += (n - mean) ** 2;
    if (i > 0) together += (n - mean) * (list[i - 1] - mean);
  });
  return together / alone;
}
