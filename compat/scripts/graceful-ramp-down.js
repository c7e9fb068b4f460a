// A VU that is ramped down finishes what it does within gracefulRampDown.
// order: any
import { sleep } from 'k6';

export const options = {
  scenarios: {
    down: {
      executor: 'ramping-vus',
      startVUs: 2,
      stages: [{ duration: '500ms', target: 2 }, { duration: '0s', target: 0 }, { duration: '500ms', target: 0 }],
      gracefulRampDown: '5s',
    },
  },
};

export default function () {
  sleep(0.9);
  console.log('finished');
}
