// --log-output none prints nothing.
// flags: --log-output none
export default function () {
  console.log('nowhere');
}
