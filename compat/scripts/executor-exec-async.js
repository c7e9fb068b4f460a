// Functions of scenarios may be asynchronous.
// order: any
export const options = {
  scenarios: {
    one: { executor: 'per-vu-iterations', exec: 'one' },
    two: { executor: 'per-vu-iterations', exec: 'two', iterations: 2 },
  },
};

const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export async function one() {
  await later(20);
  console.log('one');
}

export const two = async () => {
  await later(10);
  console.log('two');
};
