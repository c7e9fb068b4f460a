// The JSON output on standard output.
// flags: --out json=-
// compare: exit, errors, console
export default function () {
  console.log('ran');
}
