// noVUConnectionReuse makes new connections an iteration.
// flags: --no-vu-connection-reuse -i 2
import http from 'k6/http';

export default function () {
  const [first, second] = [http.get(`${__ENV.BASE}/get`), http.get(`${__ENV.BASE}/get`)];
  console.log(first.timings.connecting > 0, second.timings.connecting > 0);
}
