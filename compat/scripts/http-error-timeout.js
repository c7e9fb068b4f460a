// A request that takes longer than its timeout.
import http from 'k6/http';

export default function () {
  for (const timeout of ['150ms', 150, '0.15s']) {
    const res = http.get(`${__ENV.BASE}/delay-ms/3000`, { timeout });
    console.log(res.status, res.error_code, res.error);
  }
  console.log(http.get(`${__ENV.BASE}/delay-ms/50`, { timeout: '5s' }).status);
}
