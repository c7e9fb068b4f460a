// A certificate that nobody vouches for.
// env: SSL_CERT_FILE=/dev/null SSL_CERT_DIR=/nowhere
import http from 'k6/http';

export default function () {
  const res = http.get(`${__ENV.BASE_TLS}/get`);
  console.log(res.status, res.error_code, res.error.includes('x509'));
}
