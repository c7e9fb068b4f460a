// Request bodies are compressed on demand.
import http from 'k6/http';

export default function () {
  for (const compression of ['gzip', 'deflate', 'zstd', 'br', 'gzip, br']) {
    const res = http.post(`${__ENV.BASE}/post`, 'squall '.repeat(200), { compression, tags: { name: compression } });
    const headers = res.json('headers');
    console.log(compression, res.status, headers['Content-Encoding'], Number(headers['Content-Length']) < 200);
  }
  const odd = http.post(`${__ENV.BASE}/post`, 'x', { compression: 'nonsense' });
  console.log(odd.status, odd.error.length > 0);
}
