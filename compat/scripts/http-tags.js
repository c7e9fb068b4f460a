// Tags of requests: own ones, names, groups.
import http from 'k6/http';
import { group } from 'k6';

export const options = { thresholds: { 'http_reqs{kind:a}': ['count==2'], 'http_req_duration{name:named}': ['max>0'] } };

export default function () {
  const base = __ENV.BASE;
  http.get(`${base}/get`, { tags: { kind: 'a', number: 5, flag: true } });
  http.get(`${base}/get`, { tags: { name: 'named', kind: 'a' } });
  group('inside', () => http.get(`${base}/get?x=1`));
  http.get(`${base}/get`, { tags: { method: 'mine', url: 'mine', status: 'mine' } });
}
