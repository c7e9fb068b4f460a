// A server that closes the connection without an answer.
// compare: exit, console, errors, counts
import http from 'k6/http';

export default function () {
  const res = http.post(`${__ENV.BASE}/drop`, 'x');
  console.log(res.status, res.error_code >= 1000 && res.error_code < 1400, res.error.length > 0);
}
