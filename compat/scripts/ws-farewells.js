// How connections of k6/ws end when the server ends them.
import ws from 'k6/ws';

const paths = ['close/1000', 'close/1001', 'close/4001?reason=bye', 'close/1011', 'close/0', 'drop', 'count/3', 'silent'];

export default function () {
  const base = __ENV.BASE.replace('http', 'ws');
  for (const path of paths) {
    const res = ws.connect(`${base}/ws/${path}`, (socket) => {
      socket.on('open', () => {
        socket.send('go');
        if (path === 'silent') socket.setTimeout(() => socket.close(), 20);
      });
      socket.on('message', (message) => console.log(path, 'message', message));
      socket.on('error', (error) => console.log(path, 'error', error.error()));
      socket.on('close', (code) => console.log(path, 'close', code));
    });
    console.log(path, res.status);
  }
}
