// What counts as expected, for the VU and for a request.
import http from 'k6/http';

http.setResponseCallback(http.expectedStatuses(200, 404, { min: 500, max: 502 }));

export default function () {
  for (const status of [200, 201, 404, 500, 502, 503]) {
    http.get(`${__ENV.BASE}/status/${status}`, { tags: { name: `status ${status}` } });
  }
  http.get(`${__ENV.BASE}/status/418`, { tags: { name: 'own' }, responseCallback: http.expectedStatuses(418) });
  http.get(`${__ENV.BASE}/status/418`, { tags: { name: 'none' }, responseCallback: null });
  http.setResponseCallback(null);
  http.get(`${__ENV.BASE}/status/500`, { tags: { name: 'none for the VU' } });
}
