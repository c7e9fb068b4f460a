// A socket of k6/ws does not outlive gracefulStop.
// compare: exit, console, errors
import ws from 'k6/ws';

export const options = {
  scenarios: { hurried: { executor: 'constant-vus', vus: 1, duration: '500ms', gracefulStop: '0s' } },
};

export default function () {
  ws.connect(`${__ENV.BASE.replace('http', 'ws')}/ws/echo`, (socket) => {
    socket.on('open', () => console.log('open'));
    socket.setTimeout(() => console.log('never'), 10000);
  });
  console.log('never');
}
