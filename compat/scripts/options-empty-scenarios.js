// Empty scenarios fall back to one iteration.
export const options = { scenarios: {} };

export default function () {
  console.log('ran');
}
