// Exceptions in the callback, in handlers and in timers of k6/ws end the socket.
import ws from 'k6/ws';

const places = {
  callback: () => boom(),
  open: (socket) => socket.on('open', boom),
  message: (socket) => socket.on('message', boom),
  timer: (socket) => socket.setTimeout(boom, 10),
};

function boom() {
  throw new Error('boom');
}

export default function () {
  for (const [place, act] of Object.entries(places)) {
    try {
      ws.connect(`${__ENV.BASE.replace('http', 'ws')}/ws/${place === 'message' ? 'echo' : 'silent'}`, (socket) => {
        socket.on('close', (code) => console.log(place, 'close', code));
        socket.on('error', (error) => console.log(place, 'error', error.error()));
        act(socket);
        socket.on('open', () => socket.send('x'));
      });
      console.log(place, 'returned');
    } catch (error) {
      console.log(place, 'threw', error.toString());
    }
  }
  ws.connect(`${__ENV.BASE.replace('http', 'ws')}/ws/echo`, (socket) => socket.on('open', boom));
}
