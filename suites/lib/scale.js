// One script, any size. A script says its load as documented; `scale` makes it smaller, larger, shorter or longer:
//
//   SCALE=0.1      a tenth of the users and of the arrival rates (default 1)
//   DURATION=1m    the whole test in one minute, its parts in their proportions (default: as documented)
//   THINK_MS=0     users think so long between two actions, on average (default: what the script says)
//
// Limits stay as they are: a service must keep its promises under any load up to the documented one.

import { sleep } from 'k6';
import exec from 'k6/execution';

const UNITS = { h: 3600, m: 60, s: 1, ms: 0.001 };

export const SCALE = positive('SCALE', Number(__ENV.SCALE || 1));
const THINK_S = __ENV.THINK_MS ? seconds(`${__ENV.THINK_MS}ms`) : undefined;

/** A number of users, connections or records at the peak, at this scale: at least one. */
export function scaled(peak) {
  return Math.max(1, Math.round(peak * SCALE));
}

/** Seconds in a duration such as '1h30m', '90s' or '1.5m'. */
export function seconds(duration) {
  const parts = String(duration).match(/^(\d+(\.\d+)?(ms|[hms]))+$/) && String(duration).match(/[\d.]+(ms|[hms])/g);
  if (!parts) throw new Error(`'${duration}' is not a duration: write it as 90s, 1h30m or 500ms`);
  return parts.reduce((sum, part) => sum + parseFloat(part) * UNITS[part.replace(/[\d.]+/, '')], 0);
}

/** The options of a test, whose scenarios are written at full size, at the scale and the duration that were asked for. */
export function scale(options) {
  const pace = paceOf(Object.values(options.scenarios));
  const scenarios = {};
  for (const [name, scenario] of Object.entries(options.scenarios)) scenarios[name] = resize(scenario, pace);
  return { ...options, scenarios };
}

/** How long something takes in this run that takes `duration` in a test of `whole` length, in seconds. */
export function stretched(duration, whole) {
  return __ENV.DURATION ? (seconds(duration) * seconds(__ENV.DURATION)) / seconds(whole) : seconds(duration);
}

/** Seconds until this VU's scenario ends, which takes `duration` in a test of `whole` length. When that is as good as now, it is
 *  waited out, and none are left: what is begun then would be over before it had an effect. */
export function secondsLeft(duration, whole = duration) {
  const left = stretched(duration, whole) * (1 - exec.scenario.progress);
  if (left >= 0.3) return left;
  sleep(left);
  return 0;
}

/** The stage that a ramp is in, as its index, at `progress` (0 to 1, as `exec.scenario.progress` tells it). */
export function stageAt(stages, progress) {
  const whole = stages.reduce((sum, stage) => sum + seconds(stage.duration), 0);
  let end = 0;
  for (let index = 0; index < stages.length; index++) {
    end += seconds(stages[index].duration) / whole;
    if (progress < end) return index;
  }
  return stages.length - 1;
}

/** A user's pause between two actions: `seconds` on average, half as much at least and half as much again at most. */
export function think(random, seconds) {
  sleep((THINK_S ?? seconds) * random.between(0.5, 1.5));
}

function paceOf(scenarios) {
  if (!__ENV.DURATION) return 1;
  return positive('DURATION', seconds(__ENV.DURATION)) / Math.max(...scenarios.map(endOf));
}

function endOf({ startTime = '0s', duration, stages = [], maxDuration = '0s' }) {
  const load = duration ? seconds(duration) : stages.reduce((sum, stage) => sum + seconds(stage.duration), 0);
  return seconds(startTime) + (load || seconds(maxDuration));
}

function resize(scenario, pace) {
  const resized = { ...scenario };
  for (const key of ['vus', 'startVUs', 'rate', 'startRate', 'preAllocatedVUs', 'maxVUs']) {
    if (scenario[key]) resized[key] = scaled(scenario[key]);
  }
  if (scenario.startTime) resized.startTime = at(pace, scenario.startTime);
  for (const key of ['duration', 'maxDuration']) {
    if (scenario[key]) resized[key] = at(pace, scenario[key], 1); // k6 takes none that is shorter
  }
  if (scenario.stages) {
    resized.stages = scenario.stages.map(({ duration, target }) => ({
      duration: at(pace, duration),
      target: target && scaled(target),
    }));
  }
  return resized;
}

function at(pace, duration, secondsMin = 0) {
  return `${Math.round(Math.max(secondsMin, seconds(duration) * pace) * 1000)}ms`;
}

function positive(name, number) {
  if (!(number > 0 && number < Infinity)) throw new Error(`${name}: '${__ENV[name]}' is not a finite number above 0`);
  return number;
}
