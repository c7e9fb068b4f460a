// open(): text and bytes, relative to the script.
const text = open('./lib/words.txt');
const bytes = open('./lib/words.txt', 'b');

const missing = (() => {
  try {
    return open('./lib/no-such-file.txt');
  } catch (error) {
    return 'throws';
  }
})();

export default function () {
  console.log(JSON.stringify(text), bytes instanceof ArrayBuffer, new Uint8Array(bytes).slice(0, 3).join(), missing);
}
