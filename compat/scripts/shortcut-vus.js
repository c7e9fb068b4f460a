// Only a number of VUs.
// flags: --vus 2
// order: any
export default function () {
  console.log(`VU ${__VU}`);
}
