// A session in cookies: a form sign-in that redirects, a jar per VU, and a reset each iteration.
import http from 'k6/http';
import { check } from 'k6';

export const options = { iterations: 2, thresholds: { 'http_reqs{name:login}': ['count>1'] } };

export default function () {
  const base = __ENV.BASE;
  const jar = http.cookieJar();
  console.log('at first', JSON.stringify(jar.cookiesForURL(base)));
  const res = http.get(`${base}/cookies/set?session=s${__ITER}&lang=en`, { tags: { name: 'login' } });
  check(res, { 'followed': (r) => r.url.endsWith('/cookies') && r.status === 200 });
  const cookies = jar.cookiesForURL(res.url);
  console.log(cookies.session[0], cookies.lang[0], Object.keys(cookies).length, JSON.stringify(res.cookies));
  jar.set(base, 'extra', 'by hand', { path: '/', max_age: 60 });
  console.log(http.get(`${base}/headers`).json('headers.Cookie'));
  console.log(http.get(`${base}/headers`, { jar: new http.CookieJar() }).json('headers.Cookie'));
  const stay = http.get(`${base}/cookies/set?late=1`, { redirects: 0 });
  console.log(stay.status, stay.headers.Location, stay.cookies.late[0].value, stay.headers['Set-Cookie']);
}
