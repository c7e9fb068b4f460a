// Requests at a constant rate.
// ignore: checks, iterations, http_reqs, http_req_failed, iteration_duration, data_sent, data_received, http_req_duration, http_req_blocked, http_req_connecting, http_req_tls_handshaking, http_req_sending, http_req_waiting, http_req_receiving
// compare: -checks
import http from 'k6/http';
import { check } from 'k6';

export const options = {
  scenarios: { rate: { executor: 'constant-arrival-rate', rate: 50, duration: '2s', preAllocatedVUs: 5, maxVUs: 20 } },
  thresholds: { iterations: ['count>=99', 'count<=101'], checks: ['rate==1'], http_reqs: ['rate>40'] },
};

export default function () {
  check(http.get(`${__ENV.BASE}/get`), { ok: (r) => r.status === 200 });
}
