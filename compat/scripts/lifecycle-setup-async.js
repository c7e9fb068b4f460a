// Setup, the iteration and teardown may be asynchronous.
export async function setup() {
  await Promise.resolve();
  return { from: await Promise.resolve('setup') };
}

export default async function (data) {
  console.log(data.from, await Promise.resolve('iteration'));
}

export async function teardown(data) {
  await Promise.resolve();
  console.log(data.from, 'teardown');
}
