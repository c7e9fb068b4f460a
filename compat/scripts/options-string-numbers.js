// Durations as numbers are milliseconds.
export const options = { scenarios: { a: { executor: 'per-vu-iterations', maxDuration: 20000, gracefulStop: 1500, startTime: 100 } } };

export default function () {
  console.log('ran');
}
