// What becomes of the method and the body at each kind of redirect.
import http from 'k6/http';

export default function () {
  for (const code of [301, 302, 303, 307, 308]) {
    const url = `${__ENV.BASE}/redirect-to?status_code=${code}&url=/anything/end`;
    for (const method of ['POST', 'PUT', 'DELETE', 'GET']) {
      const res = http.request(method, url, method === 'GET' ? null : 'body');
      console.log(code, method, res.status, res.json('method'), JSON.stringify(res.json('data')), res.json('headers.Referer') !== undefined);
    }
    console.log(code, 'HEAD', http.head(url).request.method, http.head(url).status);
  }
}
