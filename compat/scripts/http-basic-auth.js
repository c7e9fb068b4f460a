// Basic authentication from the URL; the password does not show.
import http from 'k6/http';

export default function () {
  const host = __ENV.BASE.replace('http://', '');
  const good = http.get(`http://user:secret@${host}/basic-auth/user/secret`);
  console.log(good.status, good.json('authenticated'), good.url.includes('secret@'), good.request.url.includes('secret@'));
  console.log(http.get(`http://user:wrong@${host}/basic-auth/user/secret`).status);
  console.log(http.get(`${__ENV.BASE}/basic-auth/user/secret`).status);
  const coded = http.get(`http://us%40er:p%3Aw@${host}/headers`, { tags: { name: 'escaped' } }).json('headers.Authorization');
  console.log(coded);
}
