// Tags of the run, the scenario, the VU and the sample: the nearer wins.
// flags: --tag run=flag --tag all=run
import exec from 'k6/execution';
import { Counter } from 'k6/metrics';

const counter = new Counter('tagged');

export const options = {
  scenarios: { s: { executor: 'shared-iterations', vus: 1, iterations: 2, tags: { scen: 'x', all: 'scenario' } } },
};

export default function () {
  counter.add(1);
  exec.vu.metrics.tags.vu_tag = `set-${__ITER}`;
  exec.vu.metrics.tags.all = 'vu';
  counter.add(1);
  counter.add(1, { all: 'sample' });
  console.log(JSON.stringify(Object.keys(exec.vu.metrics.tags).sort()));
}
