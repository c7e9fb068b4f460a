// batch of an array: texts, lists and objects.
import http from 'k6/http';
import { sorted } from './lib/shape.js';

export const options = { thresholds: { 'http_reqs{name:third}': ['count==1'] } };

export default function () {
  const base = __ENV.BASE;
  const responses = http.batch([
    `${base}/get?n=0`,
    ['GET', `${base}/get?n=1`],
    ['POST', `${base}/post`, { a: '2' }, { tags: { name: 'third' } }],
    { method: 'PUT', url: `${base}/put`, body: 'three', params: { headers: { 'X-Own': 'y' } } },
    { url: `${base}/get?n=4` },
    { method: 'delete', url: `${base}/delete` },
  ]);
  console.log(Array.isArray(responses), responses.length);
  for (const res of responses) console.log(res.status, res.json('method'), sorted(res.json('args')), res.json('data'), sorted(res.json('form')));
  console.log(responses[3].json('headers.X-Own'));
}
