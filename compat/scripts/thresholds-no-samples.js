// Metrics without samples: rates hold, the others compare zero.
import { Counter, Rate, Trend } from 'k6/metrics';

new Counter('no_count');
new Rate('no_rate');
new Trend('no_trend');

export const options = {
  thresholds: { no_count: ['count<1'], no_rate: ['rate>0.99'], no_trend: ['avg<1'], http_req_failed: ['rate<0.1'] },
};

export default function () {}
