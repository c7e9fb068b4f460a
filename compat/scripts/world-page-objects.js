// Classes with private fields, async methods, optional chaining: scripts of today.
import http from 'k6/http';
import { check } from 'k6';
import { Trend } from 'k6/metrics';

class Client {
  #base;
  #counts = new Map();
  static timing = new Trend('client_timing', true);

  constructor(base) {
    this.#base = base;
  }

  get total() {
    return [...this.#counts.values()].reduce((a, b) => a + b, 0);
  }

  async send(method, path, body) {
    const res = await http.asyncRequest(method, `${this.#base}${path}`, body ? JSON.stringify(body) : undefined, { tags: { path } });
    this.#counts.set(path, (this.#counts.get(path) ?? 0) + 1);
    Client.timing.add(Math.sign(res.timings.duration), { path });
    return res;
  }
}

class Shop extends Client {
  orders = [];

  async order(item) {
    const res = await this.send('POST', '/post', { item, n: this.orders.length });
    this.orders.push(res.json()?.json?.n ?? -1);
    return this;
  }
}

export const options = { iterations: 2, thresholds: { 'client_timing{path:/post}': ['p(95)<5000'] } };

const shop = new Shop(__ENV.BASE);

export default async function () {
  await shop.order('pen');
  await Promise.all([shop.order('ink'), shop.send('GET', '/get')]);
  check(shop, { 'two orders each': (s) => s.orders.length === 2 * (__ITER + 1) });
  console.log(shop.total, shop.orders.length, shop?.missing?.deeper ?? 'nothing');
}
