// Setup and teardown left out by flags.
// flags: --no-setup --no-teardown
export function setup() {
  console.log('setup');
  return 1;
}

export default function (data) {
  console.log(`iteration ${typeof data}`);
}

export function teardown() {
  console.log('teardown');
}
