// A loop without end stops when the scenario's time is over.
// compare: exit, counts, console, errors
// ignore: data_sent, data_received
export const options = {
  scenarios: { loop: { executor: 'constant-vus', vus: 1, duration: '1s', gracefulStop: '0s' } },
};

export default function () {
  console.log('spinning');
  for (;;) {
    // nothing ends this
  }
}
