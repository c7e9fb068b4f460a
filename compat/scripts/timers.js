// Timers: their order, arguments, clearing, intervals; the iteration waits for them.
import { clearInterval as clear, setTimeout as later } from 'k6/timers';

export const options = { iterations: 2 };

export default function () {
  setTimeout((a, b) => console.log('third', a, b), 60, 'x', 1);
  setTimeout(() => console.log('second'), 30);
  setTimeout(() => console.log('first'), 0);
  setTimeout(() => console.log('negative'), -5);
  clearTimeout(setTimeout(() => console.log('cleared'), 10));
  later(() => console.log('from the module'), 90);
  let ticks = 0;
  const interval = setInterval(() => {
    ticks += 1;
    console.log('tick', ticks);
    if (ticks === 2) clear(interval);
  }, 130);
  clearTimeout(12345);
  Promise.resolve().then(() => console.log('microtask'));
  console.log('synchronous');
}
