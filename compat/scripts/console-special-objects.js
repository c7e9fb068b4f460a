// Functions, errors, circles and binary data in console output.
export default function () {
  const circle = { name: 'c' };
  circle.self = circle;
  console.log(circle);
  console.log(new Error('message'));
  console.log({ error: new TypeError('inside') });
  console.log(() => 1);
  console.log({ fn: function named() {} });
  console.log(new Uint8Array([1, 2]));
  console.log(new Uint8Array([1, 2]).buffer);
  console.log({ bytes: new Uint8Array([1, 2]) });
}
