// A segment that ends before it begins.
// flags: --execution-segment 3/4:1/4
export default function () {}
