// A universal library: by default, by name, as a namespace; its rows shared between VUs.
import Table, { parse } from './lib/vendor/table.js';
import * as all from './lib/vendor/table.js';
import { SharedArray } from 'k6/data';

const users = new SharedArray('users', () => parse(open('./lib/vendor/users.csv'), { header: true }).data);

export const options = { iterations: 1 };

export default function () {
  if (__ITER > 0) return;
  console.log(users.length, JSON.stringify(users[1]), users.map((user) => user.name).join('|'));
  console.log(typeof Table, typeof (Table.parse || parse), Object.keys(all).includes('Reader'), new all.Reader().read('a,b').data.length);
}
