// The rate ramps up: the n-th iteration starts when the area under the ramp reaches n.
import exec from 'k6/execution';

export const options = {
  scenarios: {
    ramp: {
      executor: 'ramping-arrival-rate',
      startRate: 0,
      timeUnit: '1s',
      preAllocatedVUs: 3,
      stages: [{ target: 9, duration: '1s' }],
    },
  },
};

export default function () {
  const late = Date.now() - exec.scenario.startTime;
  const intended = Math.sqrt((2 * (exec.scenario.iterationInTest + 1)) / 9) * 1000;
  console.log(`iteration ${exec.scenario.iterationInTest} in time: ${Math.abs(late - intended) < 100}`);
}
