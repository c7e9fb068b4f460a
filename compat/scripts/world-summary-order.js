// Groups and checks of the summary's data come in the order of their first use.
// compare: exit, console, checks
import { check, group } from 'k6';

export const options = { iterations: 2 };

export default function () {
  group('zebra', () => {
    check(1, { second: true, first: true });
    group('inner', () => check(1, { deep: () => __ITER === 0 }));
  });
  check(1, { 'at the root': true });
  group('ant', () => check(1, { late: true }));
  group('zebra', () => check(1, { third: true }));
  if (__ITER === 1) group('only later', () => {});
}

export function handleSummary(data) {
  const show = (node, depth) => {
    console.log(`${'-'.repeat(depth)}${node.name} ${node.id} ${node.path} [${node.checks.map((c) => `${c.name} ${c.passes}/${c.fails} ${c.path}`).join('; ')}]`);
    node.groups.forEach((inner) => show(inner, depth + 1));
  };
  show(data.root_group, 0);
  return {};
}
