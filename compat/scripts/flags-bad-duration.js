// A duration without a unit on the command line.
// flags: --duration 10
// compare: exit
export default function () {}
