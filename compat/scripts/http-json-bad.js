// Bodies that are not JSON, or not there.
import http from 'k6/http';

export default function () {
  const attempts = {
    html: () => http.get(`${__ENV.BASE}/html`).json(),
    'html with a selector': () => http.get(`${__ENV.BASE}/html`).json('a'),
    empty: () => http.get(`${__ENV.BASE}/status/200`).json(),
    discarded: () => http.get(`${__ENV.BASE}/json`, { responseType: 'none' }).json(),
    binary: () => http.get(`${__ENV.BASE}/json`, { responseType: 'binary' }).json('slideshow.author'),
  };
  for (const [name, attempt] of Object.entries(attempts)) {
    try {
      console.log(name, attempt());
    } catch (error) {
      console.log(name, 'throws');
    }
  }
}
