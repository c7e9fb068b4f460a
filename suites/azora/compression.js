// Answers of a kilobyte and more come compressed to whoever takes gzip, unless the request says `X-No-Compression: 1`. How
// much shorter they are, and what that costs in time.
import { check } from 'k6';
import { Trend } from 'k6/metrics';
import { SEED, seeded } from '../lib/random.js';
import { scale } from '../lib/scale.js';
import * as azora from './api.js';

export const options = scale({
  scenarios: {
    clients: {
      executor: 'constant-arrival-rate',
      rate: 100,
      timeUnit: '1s',
      duration: '1m',
      preAllocatedVUs: 20,
      maxVUs: 80,
    },
  },
  thresholds: {
    checks: ['rate==1'],
    http_req_failed: ['rate<0.01'],
    gzip_time: ['p(50)<50', 'p(95)<200'],
    plain_time: ['p(50)<50', 'p(95)<200'],
    gzip_share: ['avg<0.5'], // of the bytes without compression
  },
});

const GZIP = { 'Accept-Encoding': 'gzip' };
const gzipTime = new Trend('gzip_time', true);
const plainTime = new Trend('plain_time', true);
const gzipShare = new Trend('gzip_share');
const random = seeded(SEED, __VU);

export function setup() {
  return { token: azora.signInSome(1)[0] };
}

export default function ({ token }) {
  const listing = `page=${random.int(1, 3)}`;
  const compressed = azora.courses(listing, GZIP);
  const plain = azora.courses(listing, { ...GZIP, 'X-No-Compression': '1' });
  const small = azora.profile(token, GZIP);
  gzipTime.add(compressed.timings.duration);
  plainTime.add(plain.timings.duration);
  gzipShare.add(sizeOf(compressed) / sizeOf(plain));
  check(compressed, { 'gzip for who takes it': (r) => r.headers['Content-Encoding'] === 'gzip' });
  check(plain, { 'plain for who asks for it': (r) => r.headers['Content-Encoding'] === undefined });
  check(compressed, { 'both say the same': (r) => r.body === plain.body });
  check(small, { 'a short answer is plain': (r) => r.headers['Content-Encoding'] === undefined });
}

function sizeOf(response) {
  return Number(response.headers['Content-Length']);
}
