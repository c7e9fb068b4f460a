// Request headers: canonical names, values made text, no defaults of their own.
import http from 'k6/http';
import { sorted } from './lib/shape.js';

export default function () {
  const params = { headers: { 'x-lower': 'a', 'X-MiXeD-case': 'b', 'X-Number': 5, 'X-Empty': '', 'User-Agent': 'mine', Host: 'other.test' } };
  const { headers } = http.get(`${__ENV.BASE}/headers`, params).json();
  console.log(sorted(headers));
  const posted = http.post(`${__ENV.BASE}/anything`, 'x', { headers: { 'Content-Type': 'text/plain' } }).json().headers;
  console.log(posted['Content-Type'], posted['Content-Length'], posted.Accept, posted['Accept-Encoding']);
}
