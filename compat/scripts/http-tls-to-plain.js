// TLS to a server that speaks none.
import http from 'k6/http';

export default function () {
  const res = http.get(__ENV.BASE.replace('http:', 'https:'), { tags: { name: 'plain' } });
  console.log(res.status, res.error_code, res.error.length > 0);
}
