// What SharedArray refuses.
// compare: exit, console, errors
import { SharedArray } from 'k6/data';

const attempt = (label, make) => {
  try {
    make();
    return `${label}: fine`;
  } catch (error) {
    return `${label}: throws`;
  }
};
const good = new SharedArray('good', () => [{ a: 1 }]);
const found = [
  attempt('no name', () => new SharedArray('', () => [])),
  attempt('no function', () => new SharedArray('b')),
  attempt('not an array', () => new SharedArray('c', () => ({}))),
  attempt('async', () => new SharedArray('d', async () => [])),
  attempt('throws', () => new SharedArray('e', () => { throw new Error('x'); })),
  attempt('write', () => { 'use strict'; good[0] = 1; }),
  attempt('write inside', () => { 'use strict'; good[0].a = 2; }),
];

export default function () {
  for (const line of found) console.log(line);
  console.log(good[0].a);
}
