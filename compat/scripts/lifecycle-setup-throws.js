// A throw in setup ends the run: no iteration, no teardown.
export function setup() {
  throw new Error('no luck');
}

export default function () {
  console.log('iteration');
}

export function teardown() {
  console.log('teardown');
}
