// Redirects: each hop is a request with samples of its own.
import http from 'k6/http';

export default function () {
  const res = http.get(`${__ENV.BASE}/redirect/3`);
  console.log(res.status, res.url === `${__ENV.BASE}/get`, res.request.url === `${__ENV.BASE}/redirect/3`);
  const none = http.get(`${__ENV.BASE}/redirect/2`, { redirects: 0 });
  console.log(none.status, none.headers.Location, none.url === `${__ENV.BASE}/redirect/2`);
  const some = http.get(`${__ENV.BASE}/redirect/5`, { redirects: 2 });
  console.log(some.status, some.headers.Location);
}
