// Setup's data must be something that JSON can say.
export function setup() {
  return { not: NaN };
}

export default function () {
  console.log('iteration');
}
