// Messages that are large, fragmented or compressed, pings of the server, on the event loop.
// order: any
import { WebSocket } from 'k6/experimental/websockets';

function talk(path, params, say) {
  const socket = new WebSocket(`${__ENV.BASE.replace('http', 'ws')}/ws/${path}`, null, params);
  socket.binaryType = 'arraybuffer';
  socket.onopen = () => say && socket.send(say);
  socket.onping = (event) => console.log(path, Object.keys(event).sort().join());
  socket.onmessage = ({ data }) => {
    console.log(path, typeof data === 'string' ? `${data.length} ${data.slice(0, 20)}` : data.byteLength);
    socket.close();
  };
}

export default function () {
  const long = 'squall '.repeat(20000);
  talk('big/100000', {});
  talk('bytes/70000', {});
  talk('big/0', {});
  talk('echo?fragment=1000', {}, long);
  talk('echo', { compression: 'deflate' }, long);
  talk('echo?fragment=7', { compression: 'deflate' }, 'squeezed');
  talk('ping', {}, 'are you there');
}
