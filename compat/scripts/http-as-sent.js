// What a response tells of its request: digest credentials leave the URL, codings are a header, a thrown error
// names method and URL.
import http from 'k6/http';

export const options = { iterations: 1 };

export default function () {
  const base = __ENV.BASE;
  const withUser = base.replace('http://', 'http://u:p@');
  const digest = http.get(`${withUser}/digest-auth/auth/u/p`, { auth: 'digest' });
  console.log('digest', digest.status, digest.url === `${base}/digest-auth/auth/u/p`);
  const basic = http.get(`${withUser}/basic-auth/u/p`);
  console.log('basic', basic.status, basic.url === `${withUser}/basic-auth/u/p`);
  const packed = http.post(`${base}/post`, 'text', { compression: 'gzip, deflate' });
  console.log('codings', JSON.stringify(packed.request.headers['Content-Encoding']));
  try {
    http.get('http://127.0.0.1:1/', { throw: true });
  } catch (e) {
    console.log('thrown', e.message.startsWith('Get "http://127.0.0.1:1/": dial'));
  }
}
