// --log-output stdout.
// flags: --log-output stdout --log-format raw
// compare: exit, console, errors, text
export default function () {
  console.log('on stdout');
}
