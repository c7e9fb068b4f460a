// What k6/ws sends in its handshake: headers, cookies of the VU's jar or another, the user agent.
// flags: --user-agent mine/1
import ws from 'k6/ws';
import http from 'k6/http';

function told(path, params) {
  let headers;
  ws.connect(`${__ENV.BASE.replace('http', 'ws')}${path}`, params, (socket) => {
    socket.on('open', () => path.includes('headers') || socket.close());
    socket.on('message', (message) => {
      headers = JSON.parse(message).headers;
      socket.close();
    });
  });
  if (headers) console.log(headers.Cookie, headers['User-Agent'], headers['X-Mine'], headers.Host === 'other', headers.Origin);
}

export default function () {
  http.cookieJar().set(__ENV.BASE, 'own', 'jar');
  told('/ws/headers', {});
  told('/ws/headers', { headers: { 'X-Mine': 5, 'User-Agent': 'yours', Host: 'other', Origin: 'http://here' } });
  told('/ws/headers', { headers: { Cookie: 'a=b' } });
  told('/ws/set-cookie?set=now', {});
  told('/ws/headers', {});
  const jar = new http.CookieJar();
  jar.set(__ENV.BASE, 'another', 'jar');
  told('/ws/headers', { jar });
}
