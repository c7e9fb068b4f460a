// A bare GET over HTTP/2, which the server offers in the TLS handshake; a connection a VU.
import http from 'k6/http';
import exec from 'k6/execution';

export const options = { vus: 50, duration: `${__ENV.SECONDS}s`, insecureSkipTLSVerify: true };

export default function () {
  const { proto } = http.get(__ENV.BASE);
  if (proto !== 'HTTP/2.0') exec.test.abort(`the server was to speak HTTP/2 but spoke ${proto}`);
}
