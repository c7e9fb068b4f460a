// With --no-summary there is no text.
// flags: --no-summary
// compare: exit, console, errors, text
export default function () {
  console.log('ran');
}

export function handleSummary() {
  console.log('handleSummary');
  return {};
}
