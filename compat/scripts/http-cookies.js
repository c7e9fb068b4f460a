// Cookies that servers set come back within the iteration; the next starts clean.
import http from 'k6/http';
import { sorted } from './lib/shape.js';

export const options = { iterations: 2 };

export default function () {
  const base = __ENV.BASE;
  console.log(sorted(http.get(`${base}/cookies`).json('cookies')));
  const set = http.get(`${base}/cookies/set?one=1&two=b`, { redirects: 0 });
  console.log(sorted(Object.keys(set.cookies).sort()), set.cookies.one[0].value, set.cookies.one[0].path);
  console.log(Object.keys(set.cookies.one[0]).sort().join(), set.cookies.one[0].max_age, set.cookies.one[0].http_only);
  console.log(sorted(http.get(`${base}/cookies`).json('cookies')));
  http.get(`${base}/cookies/delete?one`);
  console.log(sorted(http.get(`${base}/cookies`).json('cookies')));
  console.log(sorted(http.get(`${base}/cookies/set?three=3`).json('cookies')));
}
