// An option of the wrong type is fatal.
export const options = { vus: 'many', iterations: 1 };

export default function () {}
