// The environment beats the script.
// env: K6_ITERATIONS=2 K6_VUS=1 K6_TAGS=layer:env
export const options = { vus: 3, iterations: 9, tags: { layer: 'script', only: 'script' } };

export default function () {
  console.log('iteration');
}
