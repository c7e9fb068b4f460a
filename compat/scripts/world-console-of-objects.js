// What people log: responses' parts, errors, nested objects.
import http from 'k6/http';
import { sorted } from './lib/shape.js';

export default function () {
  const res = http.post(`${__ENV.BASE}/post`, { a: 1 });
  console.log(res.status, res.status_text, res.proto, typeof res.body, res.error_code, res.error === '');
  console.log(`Response: ${sorted(res.json('form'))}`, Object.keys(res.timings).sort().join());
  console.log('%s is %d', 'text', 5);
  console.log([1, 'a', null, undefined, { b: [true] }], new Error('bad'), { f: () => 1, n: NaN, d: new Date(0) });
  console.log(String(res), Object.prototype.toString.call(res), typeof res.json, res instanceof Object);
  console.warn('careful', { deep: { er: { still: 1 } } });
  console.error('%', 'failed', Symbol('x').toString(), 10n, -0, 1e21);
  console.debug('not shown');
  console.info();
  console.log('');
  console.log('line\nbreak\ttab "quoted"');
}
