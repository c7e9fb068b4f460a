// With `throw` a failed request throws.
import http from 'k6/http';

export const options = { throw: true, iterations: 1 };

export default function () {
  const attempts = {
    refused: () => http.get('http://127.0.0.1:1/'),
    'bad URL': () => http.get('nonsense'),
    'not found': () => http.get(`${__ENV.BASE}/status/404`).status,
    'turned off': () => http.get('http://127.0.0.1:1/', { throw: false }).error_code,
  };
  for (const [name, attempt] of Object.entries(attempts)) {
    try {
      console.log(name, attempt());
    } catch (error) {
      console.log(name, 'throws', error instanceof Error, typeof error.message);
    }
  }
}
