// Headers of a WebSocket's handshake that no request can carry: k6/ws and the sockets of the event loop.
import ws from 'k6/ws';
import { WebSocket } from 'k6/experimental/websockets';

const url = `${__ENV.BASE.replace('http', 'ws')}/ws/headers`;
const HEADERS = [
  { 'A b': 'x', '': 'x', 'X-T\r\nX-U': 'x', 'X-É': 'x', 'X-V ': 'x', 'X-One': '1' },
  { 'X-Lines': ' a\r\nX-Other: c\t\n', 'x-padded': '  p  ', 'X-Empty': '', 'X-Blank': ' ' },
  { 'User-Agent': 'a\r\nb ' },
  { 'User-Agent': '' },
  { Cookie: 'a=b\r\nX-Other: c' },
  { Host: 'a b\r\nX-Other: c' },
  { Host: 'other.test:81' },
  { 'Content-Length': '7', Trailer: 'x', 'Transfer-Encoding': 'chunked' },
];

function told(module, text) {
  const { headers } = JSON.parse(text);
  const names = Object.keys(headers).filter((name) => /^(x|a|content|trailer|transfer)/i.test(name));
  const shown = ['Cookie', 'User-Agent', 'Host', ...names.sort()]
    .filter((name) => !(name === 'Host' && headers.Host === __ENV.BASE.slice('http://'.length)))
    .filter((name) => !(name === 'User-Agent' && /k6|squall/i.test(headers[name])));
  console.log(module, JSON.stringify(shown.map((name) => [name, headers[name]])));
}

function next(index) {
  if (index === HEADERS.length) return;
  const socket = new WebSocket(url, null, { headers: HEADERS[index] });
  socket.onmessage = ({ data }) => {
    told('websockets', data);
    socket.close();
  };
  socket.onclose = () => next(index + 1);
}

export default function () {
  for (const headers of HEADERS) {
    ws.connect(url, { headers }, (socket) => {
      socket.on('message', (text) => {
        told('ws', text);
        socket.close();
      });
    });
  }
  next(0);
}
