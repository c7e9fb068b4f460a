// A config file that is named must exist.
// flags: --config nowhere.json
export default function () {}
