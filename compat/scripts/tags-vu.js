// The VU's tags as a map: set, read, delete; only plain values.
import exec from 'k6/execution';

export default function () {
  const { tags, metadata } = exec.vu.metrics;
  tags.text = 'a';
  tags.number = 1.5;
  tags.flag = true;
  console.log(tags.text, tags.number, tags.flag, typeof tags.number, 'text' in tags, tags.scenario, typeof tags.nothing);
  delete tags.text;
  console.log('text' in tags, exec.vu.tags === undefined);
  metadata.trace = 'abc';
  console.log(metadata.trace);
  for (const value of [{}, [1], null, undefined]) {
    try {
      tags.bad = value;
      console.log('fine', tags.bad);
    } catch (error) {
      console.log('throws', error.name);
    }
  }
}
