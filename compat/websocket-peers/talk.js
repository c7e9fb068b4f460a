// What scripts do with sockets, with servers that others have written. It runs in k6 too.
import { check } from 'k6';
import ws from 'k6/ws';
import { WebSocket } from 'k6/experimental/websockets';

const url = __ENV.URL;
const messages = ['', 'hello', 'ü€😀', 'squall '.repeat(10000), 'x'.repeat(1 << 20)];

export const options = { vus: 4, iterations: 20, thresholds: { checks: ['rate==1'], ws_sessions: ['count==80'] } };

export default function () {
  for (const params of [{}, { compression: 'deflate' }]) {
    blocking(params);
    onTheLoop(params);
  }
}

function blocking(params) {
  const heard = [];
  let code;
  const headers = { 'Sec-WebSocket-Protocol': 'other, chat' };
  const res = ws.connect(url, { headers, ...params }, (socket) => {
    socket.on('open', () => {
      messages.forEach((message) => socket.send(message));
      socket.sendBinary(new Uint8Array([0, 255, 7]).buffer);
    });
    // What is asked for when so much has been heard: each waits for what came of the one before.
    const next = { [messages.length + 1]: 'fragments', [messages.length + 3]: 'ping', [messages.length + 4]: 'close' };
    const hear = (what) => {
      heard.push(what);
      if (next[heard.length]) socket.send(next[heard.length]);
    };
    socket.on('message', hear);
    socket.on('binaryMessage', (bytes) => hear(new Uint8Array(bytes).join()));
    socket.on('close', (got) => (code = got));
  });
  const texts = [...messages, '0,255,7', 'fragments', 'ponged between', 'ponged payload'];
  check(res, {
    'blocking: 101': ({ status }) => status === 101,
    'blocking: the sub-protocol that was offered': ({ headers }) => headers['Sec-Websocket-Protocol'] === 'chat',
    'blocking: compression is agreed on': ({ headers }) => !params.compression || headers['Sec-Websocket-Extensions'].includes('permessage-deflate'),
    'blocking: all is heard': () => texts.length === heard.length && texts.every((text) => heard.includes(text)),
    'blocking: echoes are in order': () => messages.every((message, index) => heard[index] === message),
    'blocking: the farewell': () => code === 4001,
  });
}

function onTheLoop(params) {
  const socket = new WebSocket(url, ['other', 'chat'], params);
  socket.binaryType = 'arraybuffer';
  const heard = [];
  const errors = [];
  let pongs = 0;
  socket.onopen = () => {
    check(socket, { 'loop: the sub-protocol that was offered': () => socket.protocol === 'chat' });
    messages.forEach((message) => socket.send(message));
    socket.send(new Uint8Array(100000));
    socket.ping();
  };
  const leave = () => pongs === 1 && heard.length > messages.length && socket.send('vanish');
  socket.onpong = () => {
    pongs += 1;
    leave();
  };
  socket.onmessage = ({ data }) => {
    heard.push(data);
    leave();
  };
  socket.onerror = ({ error }) => errors.push(error);
  socket.onclose = () =>
    check(heard, {
      'loop: all is heard in order': () => messages.every((message, index) => heard[index] === message),
      'loop: bytes are heard': () => heard[messages.length].byteLength === 100000,
      'loop: the ping is answered': () => pongs === 1,
      'loop: an end without farewell is told': () => errors.join() === 'websocket: close 1006 (abnormal closure): unexpected EOF',
    });
}
