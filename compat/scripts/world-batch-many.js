// A page with its assets: a batch of forty with names, tags and a mix of forms.
import http from 'k6/http';
import { check } from 'k6';

export const options = { iterations: 1, batch: 10, batchPerHost: 4, thresholds: { 'http_req_failed{kind:asset}': ['rate<0.2'], 'http_reqs{kind:asset}': ['count==38'] } };

export default function () {
  const base = __ENV.BASE;
  const params = (n) => ({ tags: { kind: 'asset', name: `asset-${n % 3}` } });
  const requests = [
    `${base}/get`,
    { method: 'POST', url: `${base}/post`, body: { a: '1', b: 'two words' }, params: { tags: { kind: 'form' } } },
    ...Array.from({ length: 38 }, (_, n) => ['GET', `${base}/${n % 10 === 9 ? 'status/404' : 'get?n=' + n}`, null, params(n)]),
  ];
  const responses = http.batch(requests);
  check(responses, {
    'all came': (all) => all.length === 40,
    'in order': (all) => all.slice(2).every((res, n) => (n % 10 === 9 ? res.status === 404 : res.json('args.n') === String(n) || (res.json('args.n') || [])[0] === String(n))),
    'the form too': (all) => all[1].json('form.b') == 'two words',
  });
  const named = http.batch({ front: `${base}/get`, missing: { url: `${base}/status/404`, method: 'get' } });
  console.log(named.front.status, named.missing.status, Object.keys(named).sort().join());
}
