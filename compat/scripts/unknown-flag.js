// A flag that does not exist.
// flags: --no-such-flag
export default function () {}
