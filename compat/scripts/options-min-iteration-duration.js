// minIterationDuration pads an iteration without changing its duration metric.
export const options = { vus: 1, iterations: 3, minIterationDuration: '400ms', thresholds: { iteration_duration: ['max<300'] } };

let start = 0;

export default function () {
  if (start === 0) start = Date.now();
  const since = Date.now() - start;
  console.log(`iteration ${__ITER} in time: ${since >= __ITER * 400 - 20 && since < __ITER * 400 + 300}`);
}
