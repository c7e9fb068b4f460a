// sleep takes seconds, also parts of one.
import { sleep } from 'k6';

export default function () {
  const start = Date.now();
  sleep(0.25);
  const took = Date.now() - start;
  console.log(took >= 249 && took < 450);
  sleep(0);
  sleep(-1);
  for (const wrong of [undefined, 'text', NaN]) {
    try {
      sleep(wrong);
      console.log(`${wrong} fine`);
    } catch (error) {
      console.log(`${wrong} throws`);
    }
  }
}
