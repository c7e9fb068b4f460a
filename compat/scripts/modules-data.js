// JSON data by open and parse.
const data = JSON.parse(open('./lib/data.json'));

export default function () {
  console.log(data.list.length, data.name);
}
