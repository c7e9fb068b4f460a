// Requests of one batch run in parallel, as a browser loads what a page needs.
// BASE_URL: the service, http://127.0.0.1:8080 by default.
import http from 'k6/http';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';

export const options = { vus: 2, iterations: 10, batchPerHost: 4 };

export default function () {
  const responses = http.batch({
    front: `${BASE_URL}/`,
    list: ['GET', `${BASE_URL}/api/items?page=3`, null, { tags: { name: 'list' } }],
    create: {
      method: 'POST',
      url: `${BASE_URL}/api/items`,
      body: JSON.stringify({ name: 'one of a batch' }),
      params: { headers: { 'Content-Type': 'application/json' } },
    },
  });
  check(responses, {
    'front page is there': (r) => r.front.status === 200,
    'list is there': (r) => r.list.status === 200,
    'item is created': (r) => r.create.status === 201,
  });
}
