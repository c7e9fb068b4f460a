// A GET, two checks and the parsed body: what most scripts do.
import http from 'k6/http';
import { check } from 'k6';

export const options = { vus: 50, duration: `${__ENV.SECONDS}s` };

export default function () {
  const res = http.get(__ENV.BASE);
  check(res, {
    'status is 200': (r) => r.status === 200,
    'has a name': (r) => r.json().name === 'crocodile',
  });
}
