// Cookies of a request, beside and instead of those in the jar.
import http from 'k6/http';
import { sorted } from './lib/shape.js';

export default function () {
  const base = __ENV.BASE;
  const header = (params) => http.get(`${base}/headers`, params).json('headers.Cookie');
  http.cookieJar().set(base, 'name', 'from-jar');
  console.log(header());
  console.log(header({ cookies: { own: 'x' } }));
  console.log(header({ cookies: { name: 'both' } }));
  console.log(header({ cookies: { name: { value: 'instead', replace: true } } }));
  const res = http.get(`${base}/get`, { cookies: { own: 'x' } });
  console.log(sorted(res.request.cookies));
  console.log(header({ headers: { Cookie: 'by=hand' } }));
}
