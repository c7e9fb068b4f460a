// Iterations and stages exclude each other.
// flags: --iterations 5 --stage 1s:2
export default function () {}
