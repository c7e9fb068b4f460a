// What k6/execution tells of the VU, the scenario and the instance.
import exec from 'k6/execution';

export const options = { vus: 1, iterations: 3 };

export default function () {
  const { vu, scenario, instance } = exec;
  console.log(vu.idInInstance, vu.idInTest, vu.iterationInInstance, vu.iterationInScenario);
  console.log(scenario.name, scenario.executor, scenario.iterationInInstance, scenario.iterationInTest);
  console.log(typeof scenario.startTime, scenario.startTime <= Date.now(), scenario.progress >= 0 && scenario.progress <= 1);
  console.log(instance.iterationsCompleted, instance.iterationsInterrupted, instance.vusActive, instance.vusInitialized);
  console.log(typeof instance.currentTestRunDuration, instance.currentTestRunDuration > 0);
}
