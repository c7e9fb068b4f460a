// --console-output sends console messages to a file.
// flags: --console-output console.txt --log-format raw
// compare: exit, files, console
export default function () {
  console.log('to the file');
  console.warn('this too');
}
