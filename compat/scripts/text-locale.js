// Comparing texts in the order of a language.
export default function () {
  console.log('é'.localeCompare('f') < 0, ['b', 'ä', 'a'].sort((x, y) => x.localeCompare(y)).join());
}
