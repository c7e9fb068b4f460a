// --http-debug logs requests and responses; the run is the same.
// flags: --http-debug=full
import http from 'k6/http';

export default function () {
  console.log(http.post(`${__ENV.BASE}/post`, 'debugged').status);
}
