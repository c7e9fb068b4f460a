// Names that options map to addresses.
// compare: exit, console, errors, counts
import http from 'k6/http';

const port = __ENV.BASE.split(':').pop();

export const options = {
  hosts: { 'mapped.test': '127.0.0.1', 'ported.test:80': `127.0.0.1:${port}`, '*.wild.test': '127.0.0.1' },
};

export default function () {
  for (const url of [`http://mapped.test:${port}/get`, 'http://ported.test/get', `http://any.wild.test:${port}/get`]) {
    const res = http.get(url);
    console.log(res.status, res.remote_ip, res.json('headers.Host').replace(port, 'PORT'));
  }
}
