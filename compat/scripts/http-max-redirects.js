// The limit on redirects from the options.
// flags: --max-redirects 1
import http from 'k6/http';

export default function () {
  const res = http.get(`${__ENV.BASE}/redirect/3`);
  console.log(res.status, res.headers.Location, http.get(`${__ENV.BASE}/redirect/1`).status);
}
