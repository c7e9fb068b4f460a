// Files in a form.
import http from 'k6/http';
import { sorted } from './lib/shape.js';

const bytes = open('./lib/words.txt', 'b');

export default function () {
  const file = http.file('content', 'a "name".txt', 'text/plain');
  console.log(file.data, file.filename, file.content_type, http.file('x', 'y').content_type);
  const res = http.post(`${__ENV.BASE}/post`, { field: 'value', number: 5, upload: file, binary: http.file(bytes, 'words.txt') });
  const { form, files, headers } = res.json();
  console.log(sorted(form), sorted(files));
  console.log(/^multipart\/form-data; boundary=[0-9a-f]{60}$/.test(headers['Content-Type']), res.request.body.includes('filename="words.txt"'));
  try {
    http.file(5);
    console.log('fine');
  } catch (error) {
    console.log('throws');
  }
}
