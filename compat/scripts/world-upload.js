// An upload of a file that was opened as bytes, with other fields.
import http from 'k6/http';
import { check } from 'k6';
import { sorted } from './lib/shape.js';

const bytes = open('./lib/vendor/users.csv', 'b');
const text = open('lib/vendor/users.csv');

export default function () {
  const res = http.post(`${__ENV.BASE}/post`, { kind: 'users', file: http.file(bytes, 'users.csv', 'text/csv'), extra: JSON.stringify({ a: 1 }) });
  check(res, {
    'is 200': (r) => r.status === 200,
    'is multipart': (r) => r.request.headers['Content-Type'][0].startsWith('multipart/form-data; boundary='),
  });
  console.log(bytes.byteLength === text.length, sorted(res.json('form')), res.json('files') ? Object.keys(res.json('files')).join() : 'none');
  const raw = http.put(`${__ENV.BASE}/put`, bytes, { headers: { 'Content-Type': 'application/octet-stream' } });
  console.log(raw.json('headers.Content-Length') == String(bytes.byteLength), raw.json('data') === text);
}
