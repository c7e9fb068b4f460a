// JSON of odd values.
export default function () {
  console.log(JSON.stringify({ a: [undefined, () => 1, Symbol('s')], b: undefined, c: Infinity, d: -0, e: 'é\u0007' }));
  console.log(JSON.stringify([1.10, 1e21, 1e-7, 123456789012345680000]), JSON.stringify('</script>'), JSON.stringify({ a: 1 }, null, 2));
  try {
    JSON.parse('{bad');
  } catch (error) {
    console.log(error.name);
  }
  console.log(JSON.parse('[1, {"a": null}]', (key, value) => (key === 'a' ? 'revived' : value))[1].a);
}
