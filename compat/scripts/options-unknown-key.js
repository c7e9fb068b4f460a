// An unknown option is only warned of.
export const options = { iterations: 1, noSuchOption: true };

export default function () {}
