// An empty text as a body.
import http from 'k6/http';

export default function () {
  const { data, headers } = http.post(`${__ENV.BASE}/post`, '').json();
  console.log(JSON.stringify(data), headers['Content-Length'], headers['Transfer-Encoding']);
}
