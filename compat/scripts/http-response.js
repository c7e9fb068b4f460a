// The fields of a response.
import http from 'k6/http';

export default function () {
  const res = http.get(`${__ENV.BASE}/json`);
  console.log(res.status, res.status_text, res.proto, res.url === `${__ENV.BASE}/json`, res.remote_ip, typeof res.remote_port);
  console.log(res.error === '', res.error_code, typeof res.body, res.body.length, res.headers['Content-Type']);
  console.log(Object.keys(res.headers).sort().join(), Object.keys(res.timings).sort().join());
  console.log(Object.values(res.timings).every((t) => typeof t === 'number' && t >= 0));
  console.log(Object.keys(res.request).sort().join(), res.request.method, res.request.body, JSON.stringify(res.request.cookies));
  console.log(JSON.stringify(res.cookies), res.tls_version === '', res.tls_cipher_suite === '');
  const { duration, sending, waiting, receiving } = res.timings;
  console.log(Math.abs(duration - sending - waiting - receiving) < 0.001);
}
