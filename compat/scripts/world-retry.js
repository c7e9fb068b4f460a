// Retries, back-off and error handling around requests.
import http from 'k6/http';
import { fail, sleep } from 'k6';
import { Counter } from 'k6/metrics';

const retries = new Counter('retries');
http.setResponseCallback(http.expectedStatuses(200, { min: 500, max: 503 }));

export const options = { iterations: 2, thresholds: { http_req_failed: ['rate<0.01'] } };

function withRetry(attempt, { times = 3, pause = 0.01 } = {}) {
  for (let n = 1; ; n++) {
    const res = attempt(n);
    if (res.status < 500) return res;
    retries.add(1, { attempt: n });
    if (n === times) fail(`gave up after ${n}: ${res.status_text}`);
    sleep(pause * 2 ** n);
  }
}

export default function () {
  const res = withRetry((n) => http.get(`${__ENV.BASE}/status/${n < 3 ? 503 : 200}`));
  console.log(res.status, res.request.method, res.url.endsWith('/status/200'));
  try {
    withRetry(() => http.get(`${__ENV.BASE}/status/500`), { times: 1 });
  } catch (error) {
    console.log(String(error.message || error));
  }
  try {
    JSON.parse(http.get(`${__ENV.BASE}/html`).body);
  } catch ({ name, message }) {
    console.log(name, message.length > 0);
  }
}
