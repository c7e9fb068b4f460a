// A VU keeps its globals between iterations.
export const options = { iterations: 3 };

let count = 0;

export default function () {
  count += 1;
  globalThis.seen = (globalThis.seen || 0) + 10;
  console.log(count, globalThis.seen);
}
