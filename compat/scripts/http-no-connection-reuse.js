// noConnectionReuse makes a connection a request.
import http from 'k6/http';

export const options = { iterations: 2, noConnectionReuse: true };

export default function () {
  const [first, second] = [http.get(`${__ENV.BASE}/get`), http.get(`${__ENV.BASE}/get`)];
  console.log(first.timings.connecting > 0, second.timings.connecting > 0);
}
