// What expectedStatuses refuses.
import http from 'k6/http';

export default function () {
  for (const make of [() => http.expectedStatuses(), () => http.expectedStatuses('200'), () => http.expectedStatuses({ min: 1 })]) {
    try {
      console.log(typeof make());
    } catch (error) {
      console.log('throws');
    }
  }
}
