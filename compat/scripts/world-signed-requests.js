// Requests signed by hand: hashes, HMACs, encodings, dates and sorted queries.
import http from 'k6/http';
import crypto, { hmac, sha256 } from 'k6/crypto';
import encoding, { b64decode, b64encode } from 'k6/encoding';

function sign(method, path, query, secret) {
  const canonical = Object.keys(query).sort().map((key) => `${encodeURIComponent(key)}=${encodeURIComponent(query[key])}`).join('&');
  const hash = sha256(`${method}\n${path}\n${canonical}`, 'hex');
  return { canonical, signature: hmac('sha256', secret, hash, 'base64rawurl') };
}

export default function () {
  const { canonical, signature } = sign('GET', '/get', { b: 'x y', a: '1/2', 'ü': 'é' }, 'key');
  console.log(canonical, signature);
  const res = http.get(`${__ENV.BASE}/headers?${canonical}`, { headers: { Authorization: `Basic ${b64encode('user:pass')}`, 'X-Signature': signature } });
  console.log(res.json('headers.X-Signature') === signature, b64decode(res.json('headers.Authorization').slice(6), 'std', 's'));
  const jwt = [{ alg: 'HS256' }, { sub: 'ann', n: 1 }].map((part) => encoding.b64encode(JSON.stringify(part), 'rawurl')).join('.');
  console.log(`${jwt}.${crypto.hmac('sha256', 'secret', jwt, 'base64rawurl')}`);
  const hasher = crypto.createHash('sha1');
  hasher.update('a');
  hasher.update(new Uint8Array([98]).buffer);
  console.log(hasher.digest('hex'), new Uint8Array(crypto.md5('x', 'binary')).length, new Date(Date.UTC(2024, 1, 29)).toISOString());
}
