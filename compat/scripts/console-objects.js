// Objects in console output.
export default function () {
  console.log({ a: 1, b: [1, 'x', null, undefined, true] });
  console.log([]);
  console.log({});
  console.log([1, [2, [3, [4]]]]);
  console.log({ nested: { deep: { deeper: { deepest: 1 } } } });
  console.log(new Date(0));
  console.log({ when: new Date(0) });
  console.log(new Map([[1, 2]]), new Set([1]), /x/g);
  console.log(Object.create(null));
}
