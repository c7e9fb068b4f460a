// batch runs its requests at the same time, within its limits.
// flags: --batch-per-host 4
import http from 'k6/http';

export default function () {
  const urls = Array.from({ length: 8 }, () => `${__ENV.BASE}/delay-ms/200`);
  const start = Date.now();
  http.batch(urls);
  const took = Date.now() - start;
  console.log('two rounds:', took >= 390 && took < 700);
}
