// A duration without a unit that is not a number.
export const options = { duration: 'soon', vus: 1 };

export default function () {}
