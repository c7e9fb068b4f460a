// A bare GET over TLS on connections that stay.
import http from 'k6/http';

export const options = { vus: 50, duration: `${__ENV.SECONDS}s`, insecureSkipTLSVerify: true };

export default function () {
  http.get(__ENV.BASE);
}
