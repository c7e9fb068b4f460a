// What k6/ws makes of servers that refuse, and of arguments that are wrong.
import ws from 'k6/ws';

export default function () {
  const base = __ENV.BASE.replace('http', 'ws');
  const never = () => console.log('never');
  for (const path of ['/status/403', '/status/500', '/html']) {
    const res = ws.connect(base + path, never);
    console.log(path, res.url === '', res.status, res.body.length > 0, res.error === '', typeof res.headers.Date);
  }
  const res = ws.connect('ws://127.0.0.1:1/', never);
  console.log(res.url === '', res.status, res.body === '', res.error !== '');
  console.log(ws.connect('http://127.0.0.1:1/', never).error);
  console.log(ws.connect('nonsense', never).error);
  console.log(ws.connect(`${base}/ws/echo`, { headers: { upgrade: 'mine' } }, never).error);
  const wrong = [
    () => ws.connect(base),
    () => ws.connect(base, {}, 5),
    () => ws.connect(base, {}, never, 1),
    () => ws.connect(`${base}/ws/echo`, { compression: 'gzip' }, never),
  ];
  for (const call of wrong) {
    try {
      call();
    } catch (error) {
      console.log(error.toString());
    }
  }
  ws.connect(`${base}/ws/echo`, { unknown: 1, jar: null, headers: null }, (socket) => socket.close());
}
