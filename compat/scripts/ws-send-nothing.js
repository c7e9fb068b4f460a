// What k6/ws makes of a message that is no text.
import ws from 'k6/ws';

export default function () {
  ws.connect(`${__ENV.BASE.replace('http', 'ws')}/ws/echo`, (socket) => {
    const messages = [[], [undefined], [null], ['a', 'b'], [7], [true], [{}], [[1, 2]], ['last']];
    socket.on('open', () => messages.forEach((message) => socket.send(...message)));
    socket.on('message', (message) => {
      console.log(JSON.stringify(message));
      if (message === 'last') socket.close();
    });
  });
}
