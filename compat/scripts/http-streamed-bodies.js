// Bodies that come in pieces, without a length, or on a connection that closes.
import http from 'k6/http';

export default function () {
  console.log(http.get(`${__ENV.BASE}/stream/5`).body.split('\n').length);
  console.log(http.get(`${__ENV.BASE}/drip?numbytes=5&duration_ms=50`).body);
  const closing = http.get(`${__ENV.BASE}/close`);
  console.log(closing.status, closing.headers.Connection, http.get(`${__ENV.BASE}/get`).status);
  console.log(http.get(`${__ENV.BASE}/bytes/300000`, { responseType: 'binary' }).body.byteLength);
}
