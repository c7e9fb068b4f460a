// A port where nobody listens.
import http from 'k6/http';

export default function () {
  const res = http.get('http://127.0.0.1:1/');
  console.log(res.status, res.error_code, res.error.includes('connection refused'), res.body, res.url, res.proto);
  console.log(JSON.stringify(res.headers), JSON.stringify(res.cookies), res.request.url, res.timings.duration, res.remote_ip);
}
