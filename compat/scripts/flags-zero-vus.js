// No VUs.
// flags: --vus 0 --duration 1s
export default function () {}
