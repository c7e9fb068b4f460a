// The config file lies below the script: it gives what the script leaves out.
// file: settings.json {"iterations": 9, "vus": 9, "tags": {"from": "config"}, "userAgent": "from-config"}
// flags: --config settings.json
import exec from 'k6/execution';

export const options = { vus: 1, iterations: 2 };

export default function () {
  console.log(exec.test.options.userAgent);
}
