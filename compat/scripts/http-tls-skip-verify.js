// insecureSkipTLSVerify takes any certificate.
// env: SSL_CERT_FILE=/dev/null SSL_CERT_DIR=/nowhere
// flags: --insecure-skip-tls-verify
import http from 'k6/http';

export default function () {
  console.log(http.get(`${__ENV.BASE_TLS}/get`).status);
}
