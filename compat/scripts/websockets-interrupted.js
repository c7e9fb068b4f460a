// A socket of the event loop holds its iteration, but not beyond gracefulStop.
// compare: exit, console, errors
import { WebSocket } from 'k6/experimental/websockets';

export const options = {
  scenarios: { hurried: { executor: 'constant-vus', vus: 1, duration: '500ms', gracefulStop: '0s' } },
};

export default function () {
  const socket = new WebSocket(`${__ENV.BASE.replace('http', 'ws')}/ws/echo`);
  socket.onopen = () => console.log('open');
  socket.onclose = () => console.log('never');
}
