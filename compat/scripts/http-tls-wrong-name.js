// A certificate for another name.
import http from 'k6/http';

export const options = { hosts: { 'other.test': '127.0.0.1' } };

export default function () {
  const res = http.get(__ENV.BASE_TLS.replace('127.0.0.1', 'other.test'), { tags: { name: 'other' } });
  console.log(res.status, res.error_code, res.error.includes('x509'));
}
