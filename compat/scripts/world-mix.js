// Groups, checks and pauses as a recorder writes them.
import { check, group, sleep } from 'k6';
import http from 'k6/http';

export const options = { vus: 2, iterations: 4, thresholds: { 'group_duration{group:::front}': ['avg<5000'], 'checks{group:::front::search}': ['rate==1'], http_req_duration: ['p(95)<5000', 'avg<5000'] } };

export default function main() {
  let response;
  group('front', function () {
    response = http.get(`${__ENV.BASE}/get`, { headers: { 'Accept-Language': 'en', 'Upgrade-Insecure-Requests': '1' } });
    check(response, { 'status equals 200': (r) => r.status.toString() === '200' });
    sleep(0.01);
    group('search', () => {
      response = http.get(`${__ENV.BASE}/get?q=${encodeURIComponent('pens & ink')}`);
      const ok = check(response, { 'finds it': (r) => JSON.stringify(r.json()).includes('pens & ink') }, { step: 'search' });
      if (!ok) console.error(response.body);
    });
  });
  group('order', () => {
    response = http.post(`${__ENV.BASE}/post`, { item: 'pen', count: 2 }, { headers: { 'content-type': 'application/x-www-form-urlencoded' } });
    check(response, { 'has a body': (r) => r.body.length > 0 && r.html !== undefined, 'json content': (r) => r.headers['Content-Type'].includes('json') });
    sleep(0.01);
  });
  sleep(0.01);
}
