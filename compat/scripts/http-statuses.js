// Statuses and what counts as failed.
import http from 'k6/http';

export const options = {
  thresholds: {
    http_req_failed: ['rate<0.5'],
    'http_reqs{status:404}': ['count==1'],
    'http_reqs{expected_response:false}': ['count==3'],
    'http_req_duration{expected_response:true}': ['max>=0'],
  },
};

export default function () {
  for (const status of [200, 201, 204, 304, 400, 404, 503]) {
    const res = http.get(`${__ENV.BASE}/status/${status}`);
    console.log(status, res.status, res.status_text, res.error_code, res.error, JSON.stringify(res.body));
  }
}
