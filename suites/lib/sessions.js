// Sessions in which people share where they are: what they are called, what is told of them, how many come.
//
//   session(seeded(SEED, 7));
//   // { name: 'Evening ride in Kyoto', mode: 'bike', metadata: { activity: 'ride', city: 'Kyoto', … } }

import { CITIES } from './gps.js';

const ACTIVITIES = {
  ride: { mode: 'bike', weight: 30 },
  run: { mode: 'walk', weight: 15 },
  walk: { mode: 'walk', weight: 20 },
  delivery: { mode: 'bike', weight: 15 },
  carpool: { mode: 'car', weight: 12 },
  'road trip': { mode: 'car', weight: 8 },
};
const ACTIVITY_WEIGHTS = {};
for (const [activity, { weight }] of Object.entries(ACTIVITIES)) ACTIVITY_WEIGHTS[activity] = weight;

const TIMES = ['Morning', 'Lunch', 'Afternoon', 'Evening', 'Sunday', 'Team'];
const CLIENTS = { ios: 45, android: 50, web: 5 };
const SIZES = { 2: 35, 3: 20, 4: 15, 5: 10, 6: 8, 8: 6, 12: 4, 20: 2 };

/** A session: its name, its metadata as the service takes them, and by which mode of `gps.js` its people move. */
export function session(random) {
  const activity = random.weighted(ACTIVITY_WEIGHTS);
  const city = random.pick(CITIES).name;
  return {
    name: `${random.pick(TIMES)} ${activity} in ${city}`,
    mode: ACTIVITIES[activity].mode,
    metadata: {
      activity,
      city,
      visibility: random.weighted({ link: 70, friends: 25, public: 5 }),
      planned_minutes: 15 * random.int(1, 12),
      client: { platform: random.weighted(CLIENTS), version: `4.${random.int(0, 12)}.${random.int(0, 5)}` },
    },
  };
}

/** How many people come: mostly two or three, rarely twenty. */
export function sessionSize(random) {
  return Number(random.weighted(SIZES));
}
