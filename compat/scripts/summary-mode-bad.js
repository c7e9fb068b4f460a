// A summary mode that does not exist.
// flags: --summary-mode nonsense
export default function () {}
