// __ENV without the system's variables.
// flags: --include-system-env-vars=false -e OWN=1
// env: FROM_SYSTEM=yes
export default function () {
  console.log(__ENV.OWN, typeof __ENV.FROM_SYSTEM);
}
