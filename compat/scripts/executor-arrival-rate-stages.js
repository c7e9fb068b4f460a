// Fractions of an iteration carry over from stage to stage; a jump needs no time.
// compare: exit, counts, errors
export const options = {
  scenarios: {
    ramp: {
      executor: 'ramping-arrival-rate',
      startRate: 10,
      timeUnit: '1s',
      preAllocatedVUs: 10,
      stages: [{ target: 10, duration: '550ms' }, { target: 30, duration: '0s' }, { target: 30, duration: '540ms' }, { target: 0, duration: '300ms' }],
    },
  },
};

export default function () {}
