// __VU and __ITER, and the init context run for each VU.
// order: any
const initVu = __VU;

export const options = { scenarios: { each: { executor: 'per-vu-iterations', vus: 2, iterations: 2 } } };

export default function () {
  console.log(__VU, __ITER, initVu === __VU, typeof __ENV);
}
