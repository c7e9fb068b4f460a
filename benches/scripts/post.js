// A POST of 1 KB of JSON.
import http from 'k6/http';

export const options = { vus: 50, duration: `${__ENV.SECONDS}s` };

const params = { headers: { 'Content-Type': 'application/json' } };
const body = JSON.stringify({ text: 'x'.repeat(1013) });

export default function () {
  http.post(__ENV.BASE, body, params);
}
