// A tag without a value.
// flags: --tag alone
export default function () {}
