// Custom metrics by endpoint and code, with thresholds on their tags.
import http from 'k6/http';
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';

const endpoints = ['get', 'status/404', 'headers'];
const metrics = Object.fromEntries(endpoints.map((path) => [path, new Trend(`time_${path.replace(/\W/g, '_')}`, true)]));
const codes = new Counter('codes');
const success = new Rate('success');
const size = new Gauge('body_size');

export const options = {
  iterations: 3,
  tags: { env: 'test' },
  thresholds: {
    time_get: ['p(99)<5000'],
    'codes{code:404}': ['count==3'],
    'codes{code:200,path:get}': [{ threshold: 'count>=3', abortOnFail: true, delayAbortEval: '1s' }],
    'success{path:headers}': ['rate==1'],
    success: ['rate>0.9'],
    'http_req_duration{status:404}': ['max>=0'],
    'http_req_duration{env:test}': ['max>=0'],
    'body_size{nothing:here}': ['value<1'],
  },
};

export default function () {
  for (const path of endpoints) {
    const res = http.get(`${__ENV.BASE}/${path}`, { tags: { name: path } });
    metrics[path].add(Math.sign(res.timings.waiting), { code: res.status });
    codes.add(1, { code: `${res.status}`, path });
    success.add(res.status < 400, { path });
    size.add((res.body || '').length > 0 ? 1 : 0);
  }
}
