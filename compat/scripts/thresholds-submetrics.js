// Thresholds on parts of a metric, by one or several tags.
import { Counter } from 'k6/metrics';

const counter = new Counter('a_counter');

export const options = {
  iterations: 4,
  thresholds: {
    'a_counter{color:red}': ['count==2'],
    'a_counter{color:red,size:big}': ['count==1'],
    'a_counter{color:"blue"}': ['count==2'],
    'a_counter{color:green}': ['count<1'],
    'a_counter{group:::inner}': ['count==0'],
    'iterations{scenario:default}': ['count==4'],
  },
};

export default function () {
  counter.add(1, { color: __ITER % 2 ? 'red' : 'blue', size: __ITER > 1 ? 'big' : 'small' });
}
