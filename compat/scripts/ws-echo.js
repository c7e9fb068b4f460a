// A socket of k6/ws from its opening to its end: events, timers, the response.
import ws from 'k6/ws';

export default function () {
  const url = `${__ENV.BASE.replace('http', 'ws')}/ws/echo`;
  const params = { tags: { kind: 'mine', name: 'echo' }, headers: { 'Sec-WebSocket-Protocol': 'one, two' } };
  const res = ws.connect(url, params, (socket) => {
    let count = 0;
    socket.on('open', () => {
      console.log('open');
      socket.send('hello');
      socket.send('ü€😀');
      socket.sendBinary(new Uint8Array([1, 2, 3]).buffer);
      socket.ping();
      socket.setTimeout(() => console.log('timeout'), 150);
      socket.setInterval(() => {
        count += 1;
        console.log('interval', count);
        if (count === 3) socket.close(4000);
      }, 100);
    });
    socket.on('message', (message) => console.log('message', typeof message, message));
    socket.on('message', () => console.log('another handler'));
    socket.on('binaryMessage', (bytes) => console.log('binary', new Uint8Array(bytes).join()));
    socket.on('pong', (...all) => console.log('pong', all.length));
    socket.on('close', (code) => {
      console.log('close', code);
      socket.send('late');
      socket.ping();
    });
    socket.on('error', (error) => console.log('error', error.error()));
    socket.on('nonsense', () => console.log('never'));
    socket.on('open', 5);
    for (const wrong of [() => socket.sendBinary('x'), () => socket.sendBinary(), () => socket.setTimeout(() => {}, 0)]) {
      try {
        wrong();
      } catch (error) {
        console.log(error.toString());
      }
    }
  });
  console.log(Object.keys(res).sort().join(), res.url === url, res.status, res.body === '', res.error === '');
  console.log(res.headers['Sec-Websocket-Protocol'], res.headers['X-Squall'], res.headers.Upgrade);
}
