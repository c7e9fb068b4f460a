// Promises and their order, and awaiting in an iteration.
export const options = { iterations: 2 };

const later = (ms, value) => new Promise((resolve) => setTimeout(() => resolve(value), ms));

export default async function () {
  console.log('start');
  Promise.resolve().then(() => console.log('then one')).then(() => console.log('then two'));
  console.log(await later(20, 'waited'));
  console.log((await Promise.all([later(30, 'a'), later(10, 'b')])).join());
  console.log(await Promise.race([later(50, 'slow'), later(5, 'fast')]));
  console.log(await Promise.any([Promise.reject(new Error('x')), later(5, 'any')]));
  const settled = await Promise.allSettled([Promise.reject(new Error('no')), 1]);
  console.log(settled.map((s) => s.status).join());
  try {
    await Promise.reject(new Error('caught'));
  } catch (error) {
    console.log(error.message);
  } finally {
    console.log('finally');
  }
}
