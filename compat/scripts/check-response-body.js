// The checks of everyday scripts: status, body, headers, JSON, duration.
import http from 'k6/http';
import { check } from 'k6';

export default function () {
  const res = http.get(`${__ENV.BASE}/json`);
  console.log(
    check(res, {
      status: (r) => r.status === 200,
      'body has text': (r) => r.body.includes('Weather'),
      'is JSON': (r) => r.headers['Content-Type'].startsWith('application/json'),
      'has slides': (r) => r.json('slideshow.slides.#') === 2,
      'fast enough': (r) => r.timings.duration < 5000,
      'over HTTP/1.1': (r) => r.proto === 'HTTP/1.1',
      'no error': (r) => !r.error && r.error_code === 0,
    }),
  );
}
