// Names that are allowed, and the same metric twice.
// compare: exit, errors, console, counts
import { Counter, Trend } from 'k6/metrics';

const attempt = (label, make) => {
  try {
    make();
    return `${label}: fine`;
  } catch (error) {
    return `${label}: throws`;
  }
};
const found = [
  attempt('underscore', () => new Counter('_under')),
  attempt('digit first', () => new Counter('1st')),
  attempt('space', () => new Counter('a name')),
  attempt('dash', () => new Counter('a-name')),
  attempt('empty', () => new Counter('')),
  attempt('long', () => new Counter('n'.repeat(129))),
  attempt('twice', () => [new Counter('twice'), new Counter('twice')]),
  attempt('other kind', () => new Trend('twice')),
  attempt('other unit', () => [new Trend('unit'), new Trend('unit', true)]),
  attempt('built-in', () => new Counter('http_reqs')),
];

export default function () {
  for (const line of found) console.log(line);
}
