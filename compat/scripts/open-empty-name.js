// open() without a name.
open('');

export default function () {}
