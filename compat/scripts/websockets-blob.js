// Bytes as blobs, made and received.
import { Blob, WebSocket } from 'k6/experimental/websockets';

export default async function () {
  const blob = new Blob(['ab', new Uint8Array([99, 100]), new Uint8Array([101]).buffer], { type: 'text/plain' });
  console.log(blob.size, blob.type, await blob.text(), new Uint8Array(await blob.arrayBuffer()).join());
  console.log((await blob.bytes()).join(), String(blob));
  const part = blob.slice(1, 3, 'text/html');
  console.log(part.size, part.type, await part.text());
  console.log(await blob.slice(2).text(), await blob.slice(1, -1).text(), new Blob().size);
  const socket = new WebSocket(`${__ENV.BASE.replace('http', 'ws')}/ws/echo`);
  socket.onopen = async () => socket.send(await blob.arrayBuffer());
  socket.onmessage = async ({ data }) => {
    console.log(data.size, data.type === '', await data.text());
    socket.close();
  };
}
