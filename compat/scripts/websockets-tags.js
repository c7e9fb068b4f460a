// A socket's samples carry its own tags; a name of the script's hides the URL.
import { group } from 'k6';
import { WebSocket } from 'k6/experimental/websockets';

export const options = { systemTags: ['url', 'name', 'status', 'subproto', 'group', 'scenario'] };

export default function () {
  const url = `${__ENV.BASE.replace('http', 'ws')}/ws/ping`;
  group('sockets', () => {
    for (const [protocol, tags] of [['one', { kind: 'plain' }], [null, { name: 'mine', n: 5, is: true }]]) {
      const socket = new WebSocket(url, protocol, { tags });
      socket.onopen = () => {
        socket.ping();
        socket.send('x');
      };
      socket.onmessage = () => socket.close();
    }
  });
  new WebSocket(`${__ENV.BASE.replace('http', 'ws')}/status/404`);
}
