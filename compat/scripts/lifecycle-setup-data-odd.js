// Values that JSON changes on the way from setup.
export function setup() {
  return { lost: undefined, when: new Date(0), fn: undefined };
}

export default function (data) {
  console.log(data.lost, typeof data.when, data.when.slice(0, 19));
}
