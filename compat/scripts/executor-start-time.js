// startTime holds a scenario back.
import exec from 'k6/execution';

export const options = {
  scenarios: {
    late: { executor: 'shared-iterations', startTime: '1s', exec: 'late' },
    now: { executor: 'shared-iterations', exec: 'now' },
  },
};

export function late() {
  const after = exec.instance.currentTestRunDuration;
  console.log('late', after >= 1000 && after < 1300);
}

export function now() {
  console.log('now', exec.instance.currentTestRunDuration < 300);
}
