// batch of an object: answers under the same keys.
import http from 'k6/http';

export default function () {
  const base = __ENV.BASE;
  const responses = http.batch({ first: `${base}/get?n=1`, second: { method: 'POST', url: `${base}/post`, body: 'x' }, third: ['GET', `${base}/status/404`] });
  console.log(Object.keys(responses).sort().join(), Array.isArray(responses));
  console.log(responses.first.status, responses.second.json('data'), responses.third.status);
}
