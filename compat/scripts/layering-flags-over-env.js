// Flags beat the environment.
// env: K6_ITERATIONS=7
// flags: --iterations 2 --tag layer=flag
export const options = { tags: { layer: 'script' } };

export default function () {
  console.log('iteration');
}
