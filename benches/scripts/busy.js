// Arrivals that each ask once and compute so long that the machine is 80 % busy: do they still start on time? How many
// turns that takes, `cargo xtask bench` finds out by rehearsing.
import http from 'k6/http';

const RATE = 5000;

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

export default function () {
  http.get(__ENV.BASE);
  compute(Number(__ENV.TURNS));
}
