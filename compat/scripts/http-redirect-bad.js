// Redirects to where nothing can be fetched.
import http from 'k6/http';

export default function () {
  for (const url of ['ftp://example.test/', 'http://127.0.0.1:1/', ':bad']) {
    const res = http.get(`${__ENV.BASE}/redirect-to?url=${encodeURIComponent(url)}`, { tags: { name: 'redirect' } });
    console.log(url, res.status, typeof res.error, res.error.length > 0);
  }
}
