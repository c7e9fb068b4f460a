// TLS: protocol, version and cipher of a connection, HTTP/2 by default.
import http from 'k6/http';

export default function () {
  const res = http.get(`${__ENV.BASE_TLS}/get`);
  console.log(res.status, res.proto, res.tls_version, res.tls_cipher_suite.startsWith('TLS_'), res.timings.tls_handshaking > 0);
  console.log(http.get(`${__ENV.BASE_TLS}/get`).timings.tls_handshaking, JSON.stringify(res.ocsp));
  const posted = http.post(`${__ENV.BASE_TLS}/post`, 'over TLS');
  console.log(posted.json('data'), posted.headers['Content-Type']);
  console.log(http.TLS_1_2, http.TLS_1_3, http.OCSP_STATUS_GOOD);
}
