// __ENV: from flags, and from the system.
// flags: -e GREETING=hello -e EMPTY= -e EQUALS=a=b
// env: FROM_SYSTEM=yes
export default function () {
  console.log(__ENV.GREETING, `[${__ENV.EMPTY}]`, __ENV.EQUALS, __ENV.FROM_SYSTEM, typeof __ENV.NOT_SET);
  __ENV.GREETING = 'changed';
  console.log(__ENV.GREETING);
}
