// Metrics of your own: what they collect is in the summary, and thresholds can ask for it.
// BASE_URL: the service, http://127.0.0.1:8080 by default.
import http from 'k6/http';
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';

const itemsSeen = new Counter('items_seen');
const lastPage = new Gauge('last_page');
const cheapItems = new Rate('cheap_items');
const price = new Trend('price');
const listTime = new Trend('list_time', true); // a time, in milliseconds

export const options = {
  vus: 2,
  iterations: 20,
  thresholds: {
    items_seen: ['count>=400'],
    price: ['med>10'],
    'list_time{page:1}': ['max<5000'],
  },
};

export default function () {
  const page = 1 + (__ITER % 10);
  const res = http.get(`${BASE_URL}/api/items?page=${page}`);
  listTime.add(res.timings.duration, { page: String(page) });
  lastPage.add(page);
  for (const item of res.json('items')) {
    itemsSeen.add(1);
    price.add(item.price);
    cheapItems.add(item.price < 100);
  }
}
