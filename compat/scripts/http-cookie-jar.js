// Jars: set, read, delete, clear; a jar of one's own.
import http from 'k6/http';
import { sorted } from './lib/shape.js';

export default function () {
  const base = __ENV.BASE;
  const jar = new http.CookieJar();
  console.log(jar.set(base, 'a', '1', { path: '/' }), jar.set(`${base}/get`, 'deep', '2', { path: '/get' }));
  jar.set(base, 'gone', 'x', { max_age: -1 });
  jar.set(base, 'old', 'x', { expires: 'Mon, 02 Jan 2006 15:04:05 GMT' });
  jar.set(base, 'elsewhere', 'x', { domain: 'example.test' });
  jar.set(base, 'safe', 'x', { secure: true });
  console.log(sorted(jar.cookiesForURL(base)), sorted(jar.cookiesForURL(`${base}/get`)));
  console.log(http.get(`${base}/headers`, { jar }).json('headers.Cookie'));
  console.log(http.get(`${base}/headers`).json('headers.Cookie'));
  http.get(`${base}/cookies/set?served=yes`, { jar, redirects: 0 });
  console.log(sorted(Object.keys(jar.cookiesForURL(base)).sort()), sorted(http.cookieJar().cookiesForURL(base)));
  jar.delete(base, 'a');
  console.log(sorted(Object.keys(jar.cookiesForURL(base)).sort()));
  jar.clear(base);
  console.log(sorted(jar.cookiesForURL(base)));
}
