// Bodies as text, as bytes, not at all.
import http from 'k6/http';

export default function () {
  const url = `${__ENV.BASE}/bytes/16?seed=7`;
  const bytes = http.get(url, { responseType: 'binary' }).body;
  console.log(bytes instanceof ArrayBuffer, bytes.byteLength, new Uint8Array(bytes).join());
  console.log(http.get(`${__ENV.BASE}/json`, { responseType: 'text' }).body.length);
  console.log(http.get(`${__ENV.BASE}/json`, { responseType: 'none' }).body);
  console.log(typeof http.get(url).body);
  const odd = http.get(url, { responseType: 'nonsense' });
  console.log(odd.status, odd.error.length > 0);
}
