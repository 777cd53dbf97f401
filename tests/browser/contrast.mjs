// Measures the standard tokens of psa.css: text needs 4.5:1 on what it stands on, borders of controls and shapes 3:1.
//
//   node tests/browser/contrast.mjs [--verbose]
//
// Reads `--p-x: var(--psa-x, light-dark(#light, #dark));` from the sheet itself, so no second list can go stale. Prints a JSON
// line for each pair that fails (with --verbose: for all), the lowest of each kind at the end, and exits 1 on a failure.

import fs from 'node:fs';
import { args } from './browser.mjs';

const css = fs.readFileSync(new URL('../../host/src/web/assets/psa.css', import.meta.url), 'utf8');
const tokens = Object.fromEntries([...css.matchAll(/--p-([\w-]+): var\(--psa-\1, light-dark\((#\w{6}), (#\w{6})\)\)/g)].map((m) => [m[1], { light: m[2], dark: m[3] }]));

const channel = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
const luminance = (hex) => [1, 3, 5].map((i) => channel(parseInt(hex.slice(i, i + 2), 16))).reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
export const contrast = (a, b) => { const [hi, lo] = [luminance(a), luminance(b)].sort((x, y) => y - x); return (hi + 0.05) / (lo + 0.05); };

const grounds = ['bg', 'surface', 'sunken'];
const tones = ['ok', 'warn', 'bad', 'info', 'idle'];
const pairs = [
  ...['text', 'muted', 'accent', 'bad'].flatMap((front) => grounds.map((back) => ({ front, back, need: 4.5 }))),
  ...tones.flatMap((tone) => [{ front: tone, back: `${tone}-bg`, need: 4.5 }, { front: tone, back: 'surface', need: 4.5 }]),
  ...tones.flatMap((tone) => ['text', 'muted', 'accent'].map((front) => ({ front, back: `${tone}-bg`, need: 4.5 }))),
  { front: 'on-accent', back: 'accent', need: 4.5 },
  ...grounds.map((back) => ({ front: 'control-line', back, need: 3 })),
  { front: 'accent', back: 'idle-bg', need: 3 }, // the filled part of a meter beside the empty one
];

let failed = 0;
const lowest = {};
for (const { front, back, need } of pairs) {
  for (const scheme of ['light', 'dark']) {
    const ratio = +contrast(tokens[front][scheme], tokens[back][scheme]).toFixed(2);
    if (ratio < need) failed++;
    if (ratio < need || args().verbose) console.log(JSON.stringify({ front, back, scheme, ratio, need }));
    if (!lowest[need] || ratio < lowest[need].ratio) lowest[need] = { front, back, scheme, ratio };
  }
}
for (const [need, low] of Object.entries(lowest)) console.error(`lowest of those that need ${need}:1: ${low.front} on ${low.back}, ${low.scheme}, ${low.ratio}:1`);
process.exitCode = failed ? 1 : 0;
