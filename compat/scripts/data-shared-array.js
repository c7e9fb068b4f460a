// SharedArray: built once, read-only copies, array methods.
// order: any
import { SharedArray } from 'k6/data';

const users = new SharedArray('users', () => {
  console.log('built');
  return [{ name: 'a', tags: ['x'] }, { name: 'b', tags: [] }, 'text', 5, null];
});

export const options = { vus: 2, iterations: 2 };

export default function () {
  const first = users[0];
  console.log(users.length, first.name, users[1].name, users[2], users[3], users[4], typeof users[5]);
  console.log(Array.isArray(users), users instanceof Array, users[0] === users[0], Object.isFrozen(first), Object.isFrozen(first.tags));
  console.log(users.map((u) => (u ? u.name : u)).join(), users.slice(0, 2).length, users.find((u) => u === 5), users.indexOf('text'));
  console.log(JSON.stringify(users), [...users].length, users.filter((u) => u && u.name).length);
  let steps = 0;
  for (const user of users) steps += user === null ? 100 : 1;
  console.log(steps, Object.keys(users).join());
}
