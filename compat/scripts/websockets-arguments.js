// Arguments that a socket of the event loop does not take.
import { WebSocket } from 'k6/experimental/websockets';

export default function () {
  const url = `${__ENV.BASE.replace('http', 'ws')}/ws/echo`;
  const attempt = (call) => {
    try {
      call();
      console.log('fine');
    } catch (error) {
      console.log(error.toString().replace(/send type .*/, 'send type'));
    }
  };
  attempt(() => new WebSocket());
  attempt(() => new WebSocket('http://127.0.0.1/'));
  attempt(() => new WebSocket('ws://127.0.0.1/#part'));
  attempt(() => new WebSocket(url, null, { unknown: 1 }));
  attempt(() => new WebSocket(url, null, { compression: 'gzip' }));
  const socket = new WebSocket(url, 'one', { jar: null, headers: null });
  attempt(() => socket.send('too early'));
  attempt(() => socket.ping());
  attempt(() => (socket.binaryType = 'text'));
  attempt(() => (socket.onmessage = 5));
  attempt(() => (socket.onmessage = null));
  attempt(() => socket.addEventListener('message', null));
  socket.onopen = () => {
    console.log(socket.protocol);
    attempt(() => socket.send({}));
    attempt(() => socket.send(null));
    socket.close();
    attempt(() => socket.send('too late'));
  };
}
