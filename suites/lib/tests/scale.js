// Does lib/scale.js resize as it says? Checks, in Squall and in k6; the environment says SCALE=0.1 and DURATION=1m.
import { check } from 'k6';
import { scale, scaled, seconds, stageAt, stretched } from '../scale.js';

export const options = { thresholds: { checks: ['rate==1'] } };

export default function () {
  const { scenarios, thresholds } = scale({
    scenarios: {
      ramp: {
        executor: 'ramping-vus',
        startVUs: 10,
        stages: [{ duration: '3m', target: 200 }, { duration: '1m30s', target: 0 }],
      },
      rate: {
        executor: 'constant-arrival-rate',
        startTime: '5m',
        duration: '5m',
        rate: 1000,
        timeUnit: '1m',
        preAllocatedVUs: 4,
        maxVUs: 30,
      },
    },
    thresholds: { checks: ['rate>0.9'] },
  });
  const { ramp, rate } = scenarios;
  check(ramp, { 'users of a ramp': ({ startVUs, stages }) => startVUs === 1 && stages[0].target === 20 && stages[1].target === 0 });
  check(ramp, { 'its stages in proportion': ({ stages }) => stages[0].duration === '18000ms' && stages[1].duration === '9000ms' });
  check(rate, { 'rates, and the users for them': (r) => r.rate === 100 && r.preAllocatedVUs === 1 && r.maxVUs === 3 });
  check(rate, { 'the whole takes DURATION': (r) => r.startTime === '30000ms' && r.duration === '30000ms' });
  check(rate, { 'the rest is as it was': (r) => r.timeUnit === '1m' && r.executor === 'constant-arrival-rate' });
  check(thresholds, { 'limits are as they were': ({ checks }) => checks[0] === 'rate>0.9' });
  check([scaled(1000), scaled(3), stretched('5m', '10m')], { 'numbers and times': (list) => list.join() === '100,1,30' });
  check(['90s', '1m30s', '1.5m', '90000ms'].map(seconds), { 'durations are read': (list) => list.every((s) => s === 90) });
  for (const wrong of ['', '5', '5 m', 'm', '1d']) {
    check(wrong, { [`'${wrong}' is no duration`]: (text) => refuses(() => seconds(text)) });
  }
  const stages = [{ duration: '1m' }, { duration: '2m' }, { duration: '1m' }];
  check([0, 0.24, 0.26, 0.74, 0.76, 1].map((progress) => stageAt(stages, progress)), {
    'the stage of a moment': (list) => list.join() === '0,0,1,1,2,2',
  });
}

function refuses(action) {
  try {
    action();
    return false;
  } catch (error) {
    return error.message.includes('is not a duration');
  }
}
