// The parts of k6/execution by name, and where they cannot be read.
import exec, { instance, scenario, test, vu } from 'k6/execution';

const inInit = ['vu', 'scenario', 'instance', 'test'].map((name) => {
  try {
    const part = exec[name];
    return `${name} ${typeof part} ${Object.keys(part).length > 0}`;
  } catch (error) {
    return `${name} throws`;
  }
});

export function setup() {
  const attempts = { scenario: () => scenario.name, vu: () => vu.idInTest, instance: () => instance.vusActive };
  for (const [name, read] of Object.entries(attempts)) {
    try {
      console.log('setup', name, read());
    } catch (error) {
      console.log('setup', name, 'throws');
    }
  }
}

export default function () {
  console.log(inInit.join(', '));
  console.log(scenario.name, vu.idInTest, typeof instance.vusActive, typeof test.options, typeof test.abort);
}
