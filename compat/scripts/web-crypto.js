// What the crypto global offers for random values and digests.
export default async function () {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  console.log(bytes.length, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID()));
}
