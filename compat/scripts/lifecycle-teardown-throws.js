// A throw in teardown shows in the exit code; the results stay.
export default function () {
  console.log('iteration');
}

export function teardown() {
  throw new Error('no luck');
}
