// Options about names and addresses hold for sockets too.
// compare: exit, console, errors, counts
// order: any
import ws from 'k6/ws';
import { WebSocket } from 'k6/experimental/websockets';

const port = __ENV.BASE.split(':').pop();

export const options = {
  hosts: { 'mapped.test': '127.0.0.1', 'listed.test': '10.0.0.1' },
  blockHostnames: ['blocked.test'],
  blacklistIPs: ['10.0.0.0/8'],
};

export default function () {
  for (const host of ['mapped.test', 'blocked.test', 'listed.test']) {
    const url = `ws://${host}:${port}/ws/echo`;
    const res = ws.connect(url, (socket) => socket.on('open', () => socket.close()));
    console.log(host, res.status, res.error === '');
    const socket = new WebSocket(url);
    socket.onopen = () => socket.close();
    socket.onerror = () => console.log(host, 'error');
    socket.onclose = () => console.log(host, 'close');
  }
}
