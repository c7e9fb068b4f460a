// null means not set.
export const options = { vus: null, iterations: 2, duration: null, stages: null, thresholds: null, tags: null };

export default function () {
  console.log('ran');
}
