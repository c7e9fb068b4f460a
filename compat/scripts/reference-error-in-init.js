// A script that throws while it loads.
missing();

export default function () {}
