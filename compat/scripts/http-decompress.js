// Responses are decompressed in every coding.
import http from 'k6/http';

export default function () {
  for (const coding of ['gzip', 'deflate', 'brotli', 'zstd']) {
    const res = http.get(`${__ENV.BASE}/${coding}`);
    console.log(coding, res.status, res.json('coding'), res.json('text').length, res.headers['Content-Encoding']);
    const bytes = http.get(`${__ENV.BASE}/${coding}`, { responseType: 'binary' });
    console.log(bytes.body.byteLength);
  }
}
