// Two outputs at once.
// flags: --out csv=one.csv --out csv=two.csv
// compare: exit, files
export default function () {}
