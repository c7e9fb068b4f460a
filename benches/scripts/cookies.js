// Each response sets a cookie anew, each request but a VU's first sends it: the jar lives on between iterations.
import http from 'k6/http';

export const options = { vus: 50, duration: `${__ENV.SECONDS}s`, noCookiesReset: true };

export default function () {
  http.get(__ENV.BASE);
}
