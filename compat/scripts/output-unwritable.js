// An output whose folder does not exist.
// flags: --out json=no/such/folder/points.json
// compare: exit, errors, console
export default function () {
  console.log('ran');
}
