// A file that cannot be written, and a value that is none: logged, the exit code stays.
// compare: +files
export default function () {}

export function handleSummary() {
  return { 'no/such/folder/a.txt': 'x', 'good.txt': 'fine' };
}
