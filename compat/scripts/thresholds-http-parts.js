// Thresholds of parts of HTTP metrics that never occur.
import http from 'k6/http';

export const options = {
  thresholds: {
    'http_req_duration{status:500}': ['max<1'],
    'http_req_failed{name:elsewhere}': ['rate<0.5'],
    'http_reqs{method:GET}': ['count==2'],
    'http_req_failed{expected_response:false}': ['rate==1'],
  },
};

export default function () {
  http.get(`${__ENV.BASE}/get`);
  http.get(`${__ENV.BASE}/status/404`);
}
