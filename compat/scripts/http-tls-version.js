// The TLS version from the options.
import http from 'k6/http';

export const options = { tlsVersion: 'tls1.2' };

export default function () {
  const res = http.get(`${__ENV.BASE_TLS}/get`);
  console.log(res.status, res.tls_version);
}
