// One request, as often as five VUs can in three seconds.
// BASE_URL: the service, http://127.0.0.1:8080 by default.
import http from 'k6/http';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';

export const options = { vus: 5, duration: '3s' };

export default function () {
  http.get(`${BASE_URL}/health`);
}
