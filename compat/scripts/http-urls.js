// URLs as they go out: fragments, queries, characters that need escapes.
import http from 'k6/http';

export default function () {
  for (const path of ['/anything#fragment', '/anything/a b', '/anything/é', '/anything/%2F?%20=+', '/anything?', '/anything?a=1&a=2']) {
    const res = http.get(`${__ENV.BASE}${path}`, { tags: { name: 'url' } });
    console.log(path, res.status, res.status === 200 ? res.json('url').replace(__ENV.BASE, '') : res.error_code);
  }
}
