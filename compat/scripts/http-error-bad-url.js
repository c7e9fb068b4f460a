// URLs that are none: no request is made.
import http from 'k6/http';

export default function () {
  for (const url of ['', 'nonsense', 'http://', 'ftp://example.test/', '://x', 'http://a b/', null, undefined, 5]) {
    try {
      const res = http.get(url);
      console.log(`${url}`, res.status, res.error_code, res.error.length > 0);
    } catch (error) {
      console.log(`${url}`, 'throws');
    }
  }
}
