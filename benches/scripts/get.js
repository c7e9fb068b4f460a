// A bare GET, as fast as it goes.
import http from 'k6/http';

export const options = { vus: 50, duration: `${__ENV.SECONDS}s` };

export default function () {
  http.get(__ENV.BASE);
}
