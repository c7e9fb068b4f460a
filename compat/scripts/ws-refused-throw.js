// With `throw`, a connection of k6/ws that does not come about is an exception.
// flags: --throw
// compare: exit, errors, counts
import ws from 'k6/ws';

export default function () {
  ws.connect(`${__ENV.BASE.replace('http', 'ws')}/status/403`, () => {});
}
