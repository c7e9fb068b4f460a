// An iteration that throws counts; the run goes on and succeeds.
export const options = { iterations: 4 };

export default function () {
  if (__ITER % 2 === 1) throw new TypeError(`iteration ${__ITER}`);
  console.log(`iteration ${__ITER}`);
}
