// noCookiesReset keeps cookies between iterations.
import http from 'k6/http';
import { sorted } from './lib/shape.js';

export const options = { iterations: 2, noCookiesReset: true };

export default function () {
  console.log(sorted(http.get(`${__ENV.BASE}/cookies`).json('cookies')));
  http.get(`${__ENV.BASE}/cookies/set?kept=${__ITER}`);
}
