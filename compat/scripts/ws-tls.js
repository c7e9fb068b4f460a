// Sockets over TLS, in both modules.
// flags: --insecure-skip-tls-verify
import ws from 'k6/ws';
import { WebSocket } from 'k6/experimental/websockets';

export default function () {
  const url = `${__ENV.BASE_TLS.replace('http', 'ws')}/ws/echo`;
  ws.connect(url, (socket) => {
    socket.on('open', () => socket.send('blocking'));
    socket.on('message', (message) => {
      console.log(message);
      socket.close();
    });
  });
  const socket = new WebSocket(url);
  socket.onopen = () => socket.send('on the event loop');
  socket.onmessage = (event) => {
    console.log(event.data);
    socket.close();
  };
}
