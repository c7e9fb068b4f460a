// System tags of requests that are off unless asked for.
// flags: --system-tags status,method,ip,vu,iter,url,error_code
import http from 'k6/http';

export default function () {
  http.get(`${__ENV.BASE}/get`);
  http.get(`${__ENV.BASE}/status/500`);
}
