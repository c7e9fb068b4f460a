// The other half of a cycle.
import { name } from './cycle-a.js';

export const b = () => `b knows ${name}`;
