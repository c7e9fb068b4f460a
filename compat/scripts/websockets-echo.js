// A socket of the event loop from its opening to its end: events, properties, messages.
import { WebSocket } from 'k6/experimental/websockets';

export default function () {
  const url = `${__ENV.BASE.replace('http', 'ws')}/ws/echo`;
  const socket = new WebSocket(url, ['one', 'two'], { tags: { kind: 'mine' } });
  const keys = (event) => Object.keys(event).sort().join();
  console.log(socket.readyState, socket.url === url, socket.bufferedAmount, socket.protocol === '', socket.extensions.length);
  socket.binaryType = 'arraybuffer';
  socket.onopen = (event) => {
    console.log('open', keys(event), event.type, typeof event.timestamp, event.target === socket);
    console.log(socket.readyState, socket.protocol, socket.binaryType);
    socket.send('hello');
    console.log(socket.bufferedAmount);
    socket.send(new Uint8Array([1, 2, 3]).buffer);
    socket.send(new Uint8Array([4, 5]));
    setTimeout(() => {
      console.log('buffered', socket.bufferedAmount);
      socket.ping();
    }, 50);
    setTimeout(() => socket.send('bye'), 100);
  };
  socket.onmessage = (event) => {
    const data = typeof event.data === 'string' ? event.data : new Uint8Array(event.data).join();
    console.log('message', keys(event), data, event.origin === url);
    if (data === 'bye') socket.close();
  };
  socket.addEventListener('message', () => console.log('a listener'));
  socket.addEventListener('message', () => console.log('another'));
  socket.onpong = (event) => console.log('pong', keys(event));
  socket.onerror = () => console.log('never');
  socket.onclose = (event) => {
    console.log('close', event.type, socket.readyState);
    for (const late of [() => socket.send('late'), () => socket.ping()]) {
      try {
        late();
      } catch (error) {
        console.log(error.toString());
      }
    }
    socket.close();
  };
}
