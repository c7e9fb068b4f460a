// A variable's name must be an identifier.
// flags: -e 1BAD=x
export default function () {}
