// What timers refuse.
export default function () {
  for (const [name, call] of Object.entries({
    nothing: () => setTimeout(),
    text: () => setTimeout('code', 1),
    number: () => setInterval(5, 1),
  })) {
    try {
      call();
      console.log(name, 'fine');
    } catch (error) {
      console.log(name, 'throws');
    }
  }
  console.log(typeof setTimeout(() => {}, 0));
}
