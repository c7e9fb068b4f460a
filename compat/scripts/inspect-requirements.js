// What a run will need: the derived scenarios, VUs and time.
// command: inspect
// flags: --execution-requirements
// compare: exit, stdout
export const options = { stages: [{ duration: '10s', target: 5 }, { duration: '20s', target: 1 }], vus: 2 };

export default function () {}
