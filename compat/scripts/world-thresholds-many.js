// Every form of threshold that public scripts have, some of them crossed.
import http from 'k6/http';
import { check, group } from 'k6';
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';

const steps = new Trend('steps');
const ratio = new Rate('ratio');
const level = new Gauge('level');
const total = new Counter('total');

export const options = {
  iterations: 4,
  thresholds: {
    steps: ['p(95)<4', 'p(99.9) < 10', 'avg>=1', 'med==1.5', 'min<=0', 'max<3', { threshold: 'p(50)>1' }],
    ratio: ['rate>0.49', 'rate<=0.5', { threshold: 'rate==1', abortOnFail: false }],
    level: ['value==3', 'value!=3'],
    total: ['count>5', 'count===6', 'rate>0'],
    http_reqs: ['count==4', 'rate>0.01'],
    'http_req_duration{expected_response:true}': ['max>=0'],
    'http_req_duration{name:page,method:GET}': ['avg<60000'],
    'checks{step:one}': ['rate>0.7'],
    'group_duration{group:::a::b}': ['avg>=0'],
    'total{half:second}': ['count==5'],
    'no{such:tag}': undefined,
  },
};
delete options.thresholds['no{such:tag}'];

export default function () {
  steps.add(__ITER);
  ratio.add(__ITER % 2);
  level.add(__ITER);
  total.add(__ITER, { half: __ITER < 2 ? 'first' : 'second' });
  http.get(`${__ENV.BASE}/get`, { tags: { name: 'page' } });
  group('a', () => group('b', () => check(__ITER, { small: (n) => n < 3 }, { step: 'one' })));
}
