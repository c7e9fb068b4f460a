// Waiting for a result: timers, promises and a time limit.
import http from 'k6/http';
import { setInterval, clearInterval, setTimeout } from 'k6/timers';
import { Trend } from 'k6/metrics';

const polls = new Trend('polls');

const delay = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const timeout = (ms) => delay(ms).then(() => { throw new Error('too slow'); });

export const options = { iterations: 2 };

export default async function () {
  let n = 0;
  const done = new Promise((resolve) => {
    const id = setInterval(async () => {
      n += 1;
      const res = await http.asyncRequest('GET', `${__ENV.BASE}/get?n=${n}`);
      if (n === 3) {
        clearInterval(id);
        resolve(res.status);
      }
    }, 15);
  });
  console.log(await Promise.race([done, delay(800).then(() => 'late')]));
  polls.add(n);
  const results = await Promise.allSettled([timeout(5), delay(1).then(() => 'fine'), http.asyncRequest('GET', `${__ENV.BASE}/status/404`)]);
  console.log(results.map((result) => `${result.status} ${result.reason?.message ?? result.value.status ?? result.value}`).join(', '));
}
