// --log-format raw prints the message only.
// flags: --log-format raw
// compare: exit, console
export default function () {
  console.log('as it is: "quoted" é');
  console.warn('warned');
}
