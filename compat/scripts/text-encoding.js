// Texts with characters of every length survive the way through.
export default function () {
  const text = 'aé漢🙂';
  console.log(text.length, [...text].length, text.codePointAt(4), text.normalize('NFD').length, text.toUpperCase());
  console.log(JSON.stringify('\u2028\ud83d'));
}
