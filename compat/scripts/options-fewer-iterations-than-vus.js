// Shared iterations must reach every VU.
export const options = { vus: 5, iterations: 2 };

export default function () {}
