// Response headers: canonical names, several of a name in one.
import http from 'k6/http';

export default function () {
  const res = http.get(`${__ENV.BASE}/response-headers?x-one=1&x-two=a&x-two=b&ETag=t`);
  console.log(res.headers['X-One'], res.headers['X-Two'], res.headers['x-one'], res.headers.Etag);
}
