// Files that mix require and export, as scripts that grew over years do.
const http = require('k6/http');
const { check, sleep } = require('k6');
const { Rate } = require('k6/metrics');
import { parse } from './lib/vendor/table.js';
const template = require('./lib/vendor/template.js');

const failures = new Rate('failures');

export let options = { iterations: 2, thresholds: { failures: ['rate<0.1'] } };

export default function () {
  const res = http.get(`${__ENV.BASE}/get?x=1`);
  failures.add(!check(res, { 'status is 200': (r) => r.status === 200 }));
  console.log(parse('a;b', { delimiter: ';' }).data[0].length, template.compile('<%= n + 1 %>')({ n: 1 }), typeof http.default, typeof sleep);
}
