// npm's `ws` as a server. It says its port, then does what messages ask for.
import { createRequire } from 'node:module';

const { WebSocketServer } = createRequire(`${process.cwd()}/`)('ws');
const server = new WebSocketServer({
  host: '127.0.0.1',
  port: 0,
  perMessageDeflate: { threshold: 0 },
  handleProtocols: (offered) => (offered.has('chat') ? 'chat' : false),
});

server.on('listening', () => console.log(server.address().port));
server.on('connection', (socket) => {
  socket.on('pong', (payload) => socket.send(`ponged ${payload}`));
  socket.on('message', (data, isBinary) => {
    switch (isBinary ? '' : data.toString()) {
      case 'close':
        return socket.close(4001, 'as you wish');
      case 'ping':
        return socket.ping('payload');
      case 'fragments':
        socket.send('fr', { fin: false });
        socket.ping('between');
        socket.send('ag', { fin: false });
        return socket.send('ments', { fin: true });
      case 'vanish':
        return socket.terminate();
      default:
        return socket.send(data, { binary: isBinary });
    }
  });
});
