// One half of a cycle.
import { b } from './cycle-b.js';

export const a = () => `a and ${b()}`;
export const name = 'a';
