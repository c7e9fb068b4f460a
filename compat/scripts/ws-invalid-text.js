// A server whose text is not UTF-8.
import ws from 'k6/ws';

export default function () {
  ws.connect(`${__ENV.BASE.replace('http', 'ws')}/ws/frame/8101ff`, (socket) => {
    socket.on('open', () => socket.send('go'));
    socket.on('message', (message) => {
      console.log('message', message.length);
      socket.close();
    });
    socket.on('error', (error) => console.log('error', error.error()));
    socket.on('close', (code) => console.log('close', code));
  });
}
