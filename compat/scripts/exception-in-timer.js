// A throw in a timer's callback ends the iteration.
export const options = { iterations: 2 };

export default function () {
  setTimeout(() => console.log('never'), 20000);
  setTimeout(() => {
    throw new Error('in timer');
  }, 10);
}
