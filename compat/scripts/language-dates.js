// Dates in UTC.
export default function () {
  const date = new Date(Date.UTC(2024, 1, 29, 12, 30, 15, 250));
  console.log(date.toISOString(), date.getTime(), date.toJSON(), date.getDay(), date.getHours());
  console.log(Date.parse('2024-02-29T00:00:00Z'), new Date('2024-02-29').toISOString(), new Date('nonsense').getTime());
  console.log(date.toString().slice(0, 33), date.toUTCString());
}
