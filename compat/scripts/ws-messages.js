// Messages of k6/ws that are large, fragmented or compressed, pings of the server, both ways.
import ws from 'k6/ws';

function talk(path, params, say) {
  ws.connect(`${__ENV.BASE.replace('http', 'ws')}/ws/${path}`, params, (socket) => {
    socket.on('open', () => say && socket.send(say));
    socket.on('ping', () => console.log(path, 'ping'));
    socket.on('message', (message) => {
      console.log(path, message.length, message.slice(0, 20));
      socket.close();
    });
    socket.on('binaryMessage', (bytes) => {
      console.log(path, bytes.byteLength);
      socket.close(1000);
    });
  });
}

export default function () {
  const long = 'squall '.repeat(20000);
  talk('big/100000', {});
  talk('bytes/70000', {});
  talk('big/0', {});
  talk('echo?fragment=1000', {}, long);
  talk('echo?fragment=1', {}, 'ü€😀');
  talk('echo', { compression: 'deflate' }, long);
  talk('echo', { compression: 'deflate' }, 'short');
  talk('echo?fragment=7', { compression: ' deflate ' }, long);
  talk('ping', {}, 'are you there');
}
