// Arrivals that each ask once and compute so long that the machine is 80 % busy: do they still start on time?
import http from 'k6/http';

const RATE = 5000;
const BUSY = 0.8;
// What a request costs at this rate besides the computing, client and server together.
const REQUEST_US = 50;
const COMPUTE_US = (BUSY * Number(__ENV.CORES) * 1e6) / RATE - REQUEST_US;

export const options = {
  scenarios: {
    busy: {
      executor: 'constant-arrival-rate',
      rate: RATE,
      duration: `${__ENV.SECONDS}s`,
      preAllocatedVUs: 200,
      maxVUs: 2000,
    },
  },
};

function compute(turns) {
  let x = 1;
  for (let i = 0; i < turns; i++) x = (x * 31 + i) % 65521;
  return x;
}

// How many turns take COMPUTE_US here, by the fastest of some tries.
export function setup() {
  const tried = 1000000;
  let fastestMs = Infinity;
  for (let i = 0; i < 5; i++) {
    const before = Date.now();
    compute(tried);
    fastestMs = Math.min(fastestMs, Math.max(Date.now() - before, 1));
  }
  return { turns: Math.round((tried * COMPUTE_US) / (fastestMs * 1000)) };
}

export default function (data) {
  http.get(__ENV.BASE);
  compute(data.turns);
}
