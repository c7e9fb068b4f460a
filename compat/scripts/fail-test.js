// test.fail lets the run go on and shows in the exit code.
import exec from 'k6/execution';

export const options = { iterations: 3 };

export default function () {
  if (__ITER === 1) exec.test.fail('not good enough');
  console.log(`iteration ${__ITER}`);
}
