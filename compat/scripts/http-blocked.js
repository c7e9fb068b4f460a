// Addresses and names that must not be called.
import http from 'k6/http';

export const options = { blacklistIPs: ['127.0.0.0/8'], blockHostnames: ['blocked.test', '*.wild.test'], iterations: 1 };

export default function () {
  for (const url of [`${__ENV.BASE}/get`, 'http://blocked.test/', 'http://a.b.wild.test/']) {
    const res = http.get(url, { tags: { name: 'blocked' } });
    console.log(res.status, res.error_code, res.error.length > 0);
  }
}
