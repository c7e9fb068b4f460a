// A summary export whose folder does not exist: logged only.
// flags: --summary-export no/such/folder/summary.json
// compare: exit, errors, console
export default function () {
  console.log('ran');
}
