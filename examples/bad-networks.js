// Users on different networks, one of which breaks for a while. The limits tell the server's time from the network's.
// BASE_URL: the service, http://127.0.0.1:8080 by default.
import http from 'k6/http';
import { sleep } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';

export const options = {
  vus: 10,
  duration: '4s',
  network: {
    shares: [
      { weight: 60, profile: 'dsl' },
      { weight: 40, profile: { preset: '4g', name: 'train', jitter: '40ms', loss: '1%' } },
    ],
    events: [{ at: '1s', for: '1s', resets: '10%' }],
  },
  thresholds: {
    'http_req_duration{network:dsl}': ['med<500'],
    'http_req_duration{network:train}': ['med<1000'],
    'network_delay{network:dsl}': ['min>=50'],
    http_req_failed: ['rate<0.2'],
  },
};

export default function () {
  http.get(`${BASE_URL}/health`);
  sleep(0.1);
}
