// An output that does not exist.
// flags: --out no-such-output
// compare: exit, errors
export default function () {}
