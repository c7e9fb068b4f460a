// Ramp VUs up, hold them, ramp them down.
// BASE_URL: the service, http://127.0.0.1:8080 by default.
import http from 'k6/http';
import { sleep } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';

export const options = {
  stages: [
    { duration: '1s', target: 10 },
    { duration: '1s', target: 10 },
    { duration: '1s', target: 0 },
  ],
};

export default function () {
  http.get(`${BASE_URL}/health`);
  sleep(0.1);
}
