// A TypeScript file that does not parse.
const broken: number = ;

export default function () {}
