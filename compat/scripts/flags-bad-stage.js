// A stage that is none.
// flags: --stage nonsense
export default function () {}
