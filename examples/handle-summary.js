// handleSummary() gets everything that was measured and says what is printed and written where.
// BASE_URL: the service, http://127.0.0.1:8080 by default. REPORT: a file that gets all data, none by default.
import http from 'k6/http';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';

export const options = { vus: 2, iterations: 20 };

export default function () {
  http.get(`${BASE_URL}/health`);
}

export function handleSummary(data) {
  const duration = data.metrics.http_req_duration.values;
  const output = {
    stdout: `${data.metrics.http_reqs.values.count} requests, 95 % of them within ${duration['p(95)'].toFixed(1)} ms\n`,
  };
  if (__ENV.REPORT) {
    output[__ENV.REPORT] = JSON.stringify(data, null, 2);
  }
  return output;
}
