// The text of a run with requests, in full mode.
// flags: --summary-mode full
// compare: exit, text
import http from 'k6/http';

export const options = { iterations: 2, thresholds: { 'http_req_duration{name:named}': ['max<60000'] } };

export default function () {
  http.get(`${__ENV.BASE}/get`, { tags: { name: 'named' } });
  http.get(`${__ENV.BASE}/status/500`);
}
