// Tags that a VU sets are on its requests too.
import http from 'k6/http';
import exec from 'k6/execution';

export const options = { iterations: 2, thresholds: { 'http_reqs{stage:warm}': ['count==1'] } };

export default function () {
  exec.vu.metrics.tags.stage = __ITER === 0 ? 'cold' : 'warm';
  http.get(`${__ENV.BASE}/get`);
}
