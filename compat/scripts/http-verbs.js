// Every verb, its body, and its samples.
import http from 'k6/http';

const base = __ENV.BASE;

export default function () {
  const body = 'plain text é';
  const calls = {
    get: () => http.get(`${base}/get?a=1`),
    head: () => http.head(`${base}/get`),
    post: () => http.post(`${base}/post`, body),
    put: () => http.put(`${base}/put`, body),
    patch: () => http.patch(`${base}/patch`, body),
    del: () => http.del(`${base}/delete`, body),
    'del without body': () => http.del(`${base}/delete`),
    options: () => http.options(`${base}/anything`, body),
    request: () => http.request('POST', `${base}/anything`, body),
    'own verb': () => http.request('PURGE', `${base}/anything`),
    'lower case': () => http.request('post', `${base}/anything`, body),
  };
  for (const [name, call] of Object.entries(calls)) {
    const res = call();
    const echo = res.body ? res.json() : {};
    console.log(name, res.status, res.request.method, echo.method, JSON.stringify(echo.data));
  }
}
