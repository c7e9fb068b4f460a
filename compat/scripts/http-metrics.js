// Which samples a request makes.
import http from 'k6/http';

export const options = {
  iterations: 3,
  thresholds: {
    http_reqs: ['count==3'],
    http_req_duration: ['p(95)<5000', 'min>=0'],
    http_req_waiting: ['avg>=0'],
    http_req_tls_handshaking: ['max==0'],
    http_req_connecting: ['max>=0'],
    data_received: ['count>100'],
    data_sent: ['count>100'],
  },
};

export default function () {
  http.get(`${__ENV.BASE}/get`);
}
