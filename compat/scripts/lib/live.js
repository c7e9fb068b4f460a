// A module whose export changes.
export let count = 0;
export function increase() {
  count += 1;
}
export default class Greeter {
  greet() {
    return `greets ${count}`;
  }
}
export * from './live-inner.js';
export { inner as renamed } from './live-inner.js';
