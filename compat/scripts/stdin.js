// The script from standard input.
// stdin: yes
// flags: -i 2
export default function () {
  console.log('from stdin');
}
