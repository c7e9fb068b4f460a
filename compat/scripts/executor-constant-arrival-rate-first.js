// The first iteration starts at the start of the scenario, the next a period later.
import exec from 'k6/execution';

export const options = {
  scenarios: {
    rate: { executor: 'constant-arrival-rate', rate: 10, timeUnit: '8s', duration: '1s', preAllocatedVUs: 2 },
  },
};

export default function () {
  const late = Date.now() - exec.scenario.startTime;
  const nth = exec.scenario.iterationInTest;
  console.log(`iteration ${nth} in time: ${late >= nth * 800 - 5 && late < nth * 800 + 150}`);
}
