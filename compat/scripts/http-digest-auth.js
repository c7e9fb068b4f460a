// Digest authentication: two requests, the first answer is expected.
import http from 'k6/http';

export default function () {
  const host = __ENV.BASE.replace('http://', '');
  for (const qop of ['auth', 'none']) {
    const params = { auth: 'digest', tags: { name: `digest ${qop}` } };
    const good = http.get(`http://user:secret@${host}/digest-auth/${qop}/user/secret`, params);
    console.log(qop, good.status, good.body);
    const bad = http.get(`http://user:wrong@${host}/digest-auth/${qop}/user/secret`, params);
    console.log(qop, bad.status);
  }
}
