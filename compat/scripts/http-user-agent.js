// The user agent of the options, and none.
// flags: --user-agent agent/1
import http from 'k6/http';

export default function () {
  console.log(http.get(`${__ENV.BASE}/headers`).json().headers['User-Agent']);
  console.log(http.get(`${__ENV.BASE}/headers`, { headers: { 'User-Agent': 'own' } }).json().headers['User-Agent']);
}
