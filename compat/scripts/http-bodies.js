// Bodies: text, bytes, forms, nothing.
import http from 'k6/http';
import { sorted } from './lib/shape.js';

const post = (body, params) => http.post(`${__ENV.BASE}/post`, body, params).json();

export default function () {
  console.log(sorted(post('text é').data), post('text').headers['Content-Type']);
  console.log(sorted(post(new Uint8Array([104, 105]).buffer).data), sorted(post(new Uint8Array([104, 105])).data));
  const form = post({ b: 2, a: 'x y&é', list: ['1', '2'], yes: true });
  console.log(sorted(form.form), form.headers['Content-Type'], form.headers['Content-Length']);
  const json = post(JSON.stringify({ a: 1 }), { headers: { 'Content-Type': 'application/json' } });
  console.log(sorted(json.json), json.headers['Content-Type']);
  for (const nothing of [undefined, null, {}]) {
    const { data, headers } = post(nothing);
    console.log(sorted(data), headers['Content-Length'], headers['Content-Type']);
  }
  const own = post({ a: 1 }, { headers: { 'Content-Type': 'application/x-own' } });
  console.log(own.headers['Content-Type'], own.data);
}
