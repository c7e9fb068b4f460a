// A script cannot catch an abort.
// compare: -counts, -json
import exec from 'k6/execution';

export default function () {
  try {
    exec.test.abort('really');
  } catch (error) {
    console.log('caught');
  }
  console.log('after');
}
