// A GET of 100 KB of text, which the script keeps but does not read.
import http from 'k6/http';

export const options = { vus: 50, duration: `${__ENV.SECONDS}s` };

export default function () {
  http.get(__ENV.BASE);
}
