// --verbose shows debug messages.
// flags: --verbose
export default function () {
  console.debug('shown');
  console.log('shown too');
}
