// A rejection that nobody handles ends the iteration, not the run.
export const options = { iterations: 2 };

export default async function () {
  setTimeout(() => console.log('maybe'), 5000);
  new Promise((_, reject) => reject(new Error('unhandled')));
}
