// Names for URLs: the template, the tag, the URL itself.
import http from 'k6/http';

export const options = { iterations: 2 };

export default function () {
  const base = __ENV.BASE;
  const templated = http.get(http.url`${base}/anything/${__ITER}/x?q=${'ab'}`);
  console.log(templated.json('url').replace(base, ''));
  http.get(`${base}/anything/${__ITER}`, { tags: { name: 'tagged' } });
  http.get(http.url`${base}/anything/${__ITER}`, { tags: { name: 'both' } });
  http.post(http.url`${base}/anything/${__ITER}`, 'x');
  http.batch([['GET', http.url`${base}/anything/${__ITER}/batch`]]);
  const url = http.url`${base}/a/${1}/b`;
  console.log(url.name, url.url.replace(base, ''), typeof url.clean_url);
}
