// How connections of the event loop end.
// order: any
import { WebSocket } from 'k6/experimental/websockets';

const paths = ['ws/close/1000', 'ws/close/1001', 'ws/close/1011?reason=x', 'ws/close/4001?reason=bye', 'ws/drop', 'ws/count/2', 'status/403'];

export default function () {
  const base = __ENV.BASE.replace('http', 'ws');
  for (const path of paths) {
    const socket = new WebSocket(`${base}/${path}`);
    // The one that counts leaves without being asked: in k6 it is chance whether a message to it still goes out.
    if (!path.startsWith('ws/count')) socket.onopen = () => socket.send('go');
    socket.onmessage = (event) => console.log(path, 'message', event.data);
    socket.onerror = (event) => console.log(path, 'error', event.error, socket.readyState);
    socket.onclose = () => console.log(path, 'close', socket.readyState);
  }
  const nowhere = new WebSocket('ws://127.0.0.1:1/');
  nowhere.onerror = (event) => console.log('nowhere', typeof event.error);
  nowhere.onclose = () => console.log('nowhere', 'close');
}
