// asyncRequest: promises, several at once.
import http from 'k6/http';
import { sorted } from './lib/shape.js';

export default async function () {
  const base = __ENV.BASE;
  const res = await http.asyncRequest('GET', `${base}/get?a=1`);
  console.log(res.status, res.json('args.a'));
  const start = Date.now();
  const all = await Promise.all([1, 2, 3].map(() => http.asyncRequest('GET', `${base}/delay-ms/150`)));
  const took = Date.now() - start;
  console.log(all.map((r) => r.status).join(), took < 400);
  const posted = await http.asyncRequest('POST', `${base}/post`, { a: 'b' }, { tags: { name: 'posted' } });
  console.log(sorted(posted.json('form')));
  const refused = await http.asyncRequest('GET', 'http://127.0.0.1:1/');
  console.log(refused.status, refused.error_code);
  http.asyncRequest('GET', `${base}/get?then=1`).then((r) => console.log('then', r.status));
}
