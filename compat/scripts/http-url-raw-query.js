// A query goes out as it is, even with a space in it.
import http from 'k6/http';

export default function () {
  console.log(http.get(`${__ENV.BASE}/anything?a=b c`, { tags: { name: 'raw' } }).status);
}
