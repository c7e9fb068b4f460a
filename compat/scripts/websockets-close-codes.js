// Farewells of our own: code, reason and what comes of them.
// order: any
import { WebSocket } from 'k6/experimental/websockets';

export default function () {
  for (const code of [undefined, 1000, 3000, 4999]) {
    const socket = new WebSocket(`${__ENV.BASE.replace('http', 'ws')}/ws/echo`);
    socket.onopen = () => {
      socket.close(code);
      console.log(code, 'closing', socket.readyState);
      socket.close();
    };
    socket.onerror = (event) => console.log(code, 'error', event.error);
    socket.onclose = () => console.log(code, 'closed', socket.readyState);
  }
}
