// An exception in a handler of close events ends the socket and the iteration.
// ignore: ws_session_duration
import { WebSocket } from 'k6/experimental/websockets';

export default function () {
  const socket = new WebSocket(`${__ENV.BASE.replace('http', 'ws')}/ws/echo`);
  socket.addEventListener('open', () => socket.send('x'));
  socket.addEventListener('message', () => socket.close());
  socket.onclose = () => {
    throw new Error('boom');
  };
  socket.onerror = () => console.log('error');
  socket.addEventListener('close', () => console.log('close', socket.readyState));
  setTimeout(() => console.log('never'), 500);
}
