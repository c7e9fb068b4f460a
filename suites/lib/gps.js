// Tracks along streets, as a phone's GPS tells them: fixes of somebody who walks, rides or drives through a city.
//
//   const track = new Track(seeded(SEED, __VU), 'bike');
//   const fix = track.next(0.2);   // a fifth of a second later
//   // { lat: 38.722, lon: -9.139, accuracy: 6.2, speed: 4.8, heading: 127 }
//
// Streets are a grid that is turned against north, as wide as the city's blocks. On it one goes from crossing to crossing,
// straight on more often than around a corner, sometimes stops there, speeds up and slows down as the mode can, and turns back
// at the edge of the quarter. What the GPS says is the true place with an error that is normally distributed in both
// directions; `accuracy` is the radius in which 68 % of the fixes are, as phones tell it.

/** How people move. Speeds in metres a second, changes of speed in metres a second squared. */
export const MODES = {
  walk: { cruise: [1.1, 1.7], speedMax: 1.9, corner: 1.2, speedsUp: 0.8, brakes: 1.0, stops: 0.1, stopSeconds: [2, 20] },
  bike: { cruise: [3.5, 7.0], speedMax: 7.5, corner: 2.8, speedsUp: 0.9, brakes: 1.8, stops: 0.15, stopSeconds: [3, 30] },
  car: { cruise: [8.0, 13.5], speedMax: 13.9, corner: 4.5, speedsUp: 1.8, brakes: 2.5, stops: 0.3, stopSeconds: [5, 45] },
};

/** Where: the middle of a quarter, the cosine of its latitude, the blocks' sides in metres, and how far the streets are turned
 *  clockwise from north, in degrees with cosine and sine (given, not computed: engines may differ in the last digit). */
export const CITIES = [
  { name: 'Barcelona', lat: 41.391, lon: 2.165, cosine: 0.7502, block: [133, 133], turned: [45, 0.70711, 0.70711] },
  { name: 'Buenos Aires', lat: -34.604, lon: -58.386, cosine: 0.8231, block: [110, 110], turned: [0, 1, 0] },
  { name: 'Chicago', lat: 41.884, lon: -87.632, cosine: 0.7445, block: [100, 200], turned: [0, 1, 0] },
  { name: 'Kyoto', lat: 35.006, lon: 135.759, cosine: 0.8191, block: [120, 60], turned: [0, 1, 0] },
  { name: 'Lisbon', lat: 38.711, lon: -9.137, cosine: 0.7803, block: [50, 35], turned: [15, 0.96593, 0.25882] },
  { name: 'Mannheim', lat: 49.488, lon: 8.466, cosine: 0.6496, block: [70, 60], turned: [30, 0.86603, 0.5] },
  { name: 'Melbourne', lat: -37.814, lon: 144.963, cosine: 0.79, block: [100, 200], turned: [20, 0.93969, 0.34202] },
  { name: 'New York', lat: 40.754, lon: -73.984, cosine: 0.7575, block: [80, 274], turned: [29, 0.87462, 0.48481] },
];

const METRES_A_DEGREE = 111195; // of latitude: a circumference of 40,030 km over 360
const STEP_S = 0.1;
const CROSSINGS_MAX = 12; // from the middle of the quarter to its edge
const NORTH = 0; // directions count clockwise: 1 is the grid's east

export class Track {
  constructor(random, mode = random.weighted({ walk: 50, bike: 30, car: 20 }), city = random.pick(CITIES)) {
    this.random = random;
    this.mode = MODES[mode];
    this.city = city;
    this.deviation = random.between(3, 6); // of this phone, in metres
    this.cruise = random.between(...this.mode.cruise);
    this.crossing = [random.int(-4, 4), random.int(-4, 4)]; // blocks north and east of the middle
    this.direction = random.int(0, 3);
    this.along = 0; // metres from the crossing
    this.speed = 0;
    this.stopped = 0; // seconds that the stop still takes
    this.choose();
  }

  /** Goes on for so many seconds and gives the fix there. */
  next(seconds) {
    for (let left = seconds; left > 0; left -= STEP_S) this.move(Math.min(left, STEP_S));
    return this.fix();
  }

  /** What the GPS says now. */
  fix() {
    const [north, east] = this.place();
    return {
      ...this.degrees(this.random.normal(north, this.deviation), this.random.normal(east, this.deviation)),
      accuracy: rounded(1.51 * this.deviation, 1),
      speed: rounded(this.speed, 2),
      heading: (this.city.turned[0] + 90 * this.direction) % 360,
    };
  }

  /** The true place: metres north and east of the middle of the quarter. */
  place() {
    const [, cosine, sine] = this.city.turned;
    const ahead = this.direction === NORTH || this.direction === 1 ? this.along : -this.along;
    const onNorth = this.direction % 2 === 0;
    const up = this.crossing[0] * this.city.block[0] + (onNorth ? ahead : 0);
    const across = this.crossing[1] * this.city.block[1] + (onNorth ? 0 : ahead);
    return [up * cosine - across * sine, up * sine + across * cosine];
  }

  degrees(north, east) {
    return {
      lat: rounded(this.city.lat + north / METRES_A_DEGREE, 6),
      lon: rounded(this.city.lon + east / (METRES_A_DEGREE * this.city.cosine), 6),
    };
  }

  move(seconds) {
    if (this.stopped > 0) {
      this.stopped -= seconds;
      return;
    }
    const left = this.blockLength() - this.along;
    // As fast as one likes, and not faster than one can still brake for what comes.
    const braking = Math.sqrt(this.speedAtCrossing * this.speedAtCrossing + 2 * this.mode.brakes * left);
    const wanted = Math.min(this.cruise, braking);
    const change = wanted - this.speed;
    this.speed += Math.max(-this.mode.brakes * seconds, Math.min(this.mode.speedsUp * seconds, change));
    this.speed = Math.max(this.speed, 0.2); // one does not stand still in front of a crossing for ever
    this.along += this.speed * seconds;
    if (this.along >= this.blockLength()) this.cross();
  }

  cross() {
    const over = this.along - this.blockLength();
    this.crossing[this.direction % 2] += this.direction < 2 ? 1 : -1;
    this.direction = this.nextDirection;
    this.along = over;
    if (this.stops) {
      this.stopped = this.random.between(...this.mode.stopSeconds);
      this.speed = 0;
      this.along = 0;
    }
    this.choose();
  }

  /** Decides what to do at the next crossing. */
  choose() {
    const turn = this.atEdge() ? 2 : Number(this.random.weighted({ 0: 60, 1: 20, 3: 20 }));
    this.nextDirection = (this.direction + turn) % 4;
    this.stops = this.random.chance(this.mode.stops);
    const unhindered = turn === 0 ? this.cruise : Math.min(this.cruise, this.mode.corner);
    this.speedAtCrossing = this.stops || turn === 2 ? 0 : unhindered;
  }

  /** Whether the next crossing is the last one this way. */
  atEdge() {
    const next = this.crossing[this.direction % 2] + (this.direction < 2 ? 1 : -1);
    return Math.abs(next) >= CROSSINGS_MAX;
  }

  blockLength() {
    return this.city.block[this.direction % 2];
  }
}

function rounded(number, digits) {
  return Number(number.toFixed(digits));
}
