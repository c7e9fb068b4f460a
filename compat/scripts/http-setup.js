// Requests in setup and teardown have groups of their own.
import http from 'k6/http';

export const options = { thresholds: { 'http_reqs{group:::setup}': ['count==1'], http_reqs: ['count==3'] } };

export function setup() {
  return http.get(`${__ENV.BASE}/get?in=setup`).json('args');
}

export default function (data) {
  console.log(data.in, http.get(`${__ENV.BASE}/get`).status);
}

export function teardown(data) {
  http.get(`${__ENV.BASE}/get?in=${data.in}`);
}
