// VUs with a socket each, on which they say something once a second and hear it come back; the first second is for coming
// one after the other. With ALONE=1 they have no socket: what is left is the memory of the VUs.
import { WebSocket } from 'k6/experimental/websockets';

const vus = Number(__ENV.VUS);
const turns = Number(__ENV.SECONDS);

export const options = {
  scenarios: { sockets: { executor: 'per-vu-iterations', vus, iterations: 1, maxDuration: '15m' } },
};

export default function () {
  setTimeout(__ENV.ALONE === '1' ? alone : connected, ((__VU % vus) / vus) * 1000);
}

function alone() {
  let turn = 0;
  const timer = setInterval(() => {
    turn += 1;
    if (turn === turns) clearInterval(timer);
  }, 1000);
}

function connected() {
  const socket = new WebSocket(`${__ENV.BASE.replace('http', 'ws')}ws/echo`);
  let turn = 0;
  socket.onopen = () => {
    const timer = setInterval(() => {
      turn += 1;
      socket.send(`turn ${turn} of a socket that says some sixty bytes, as many as usual`);
      if (turn === turns) clearInterval(timer);
    }, 1000);
  };
  socket.onmessage = () => {
    if (turn === turns) socket.close();
  };
  socket.onerror = (event) => {
    throw new Error(event.error);
  };
}
