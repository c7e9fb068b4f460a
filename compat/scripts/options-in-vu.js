// The consolidated options as a script sees them.
// flags: --tag run=1
import exec from 'k6/execution';
import { sorted } from './lib/shape.js';

export const options = {
  scenarios: { one: { executor: 'shared-iterations', vus: 1, iterations: 1, maxDuration: '5s', tags: { a: 'b' } } },
  thresholds: { iterations: ['count>0'] },
  noConnectionReuse: true,
  maxRedirects: 3,
  setupTimeout: '5s',
};

export default function () {
  const { scenarios, thresholds, tags, noConnectionReuse, maxRedirects, setupTimeout, batch, vus } = exec.test.options;
  console.log(sorted({ scenarios, thresholds, tags, noConnectionReuse, maxRedirects, setupTimeout, batch }), typeof vus);
}
