// A number in the environment that is none.
// env: K6_VUS=many
export default function () {}
