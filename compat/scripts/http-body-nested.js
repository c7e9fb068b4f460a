// Objects inside a form are lost; the request is made.
import http from 'k6/http';

export default function () {
  const res = http.post(`${__ENV.BASE}/post`, { plain: 'x', nested: { a: 1 } });
  console.log(res.status, JSON.stringify(res.json('form.plain')));
}
