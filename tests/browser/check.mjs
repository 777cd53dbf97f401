// Looks at every page in every dress and prints what is wrong, one JSON object a line. Exit 1 if anything is.
//
//   node tests/browser/check.mjs --base http://127.0.0.1:PORT --pages pages.json [--only NAME]...
//        [--header "Name: value"]... [--fast | --few]
//
// pages.json: [{ "name": "settings", "path": "/c/01J8/settings", "status": 200,
//                "steps": [{ "fill": ["#site", "x"] }, { "submit": "button[value=test]" }],
//                "allow": ["rule-id"] }]                  steps and status are optional, see browser.mjs for the steps
//
// Each page is loaded twice, with scripts and without. In each load it is dressed 320 (which is 1280 at 400 %), 390, 768 and
// 1280 px wide, light and dark, at 320 and 1280 also in forced colours; each dress is read by axe and measured by probes.mjs.
// Then the keyboard walks it at three sizes, and it is stretched by the text spacing of WCAG 1.4.12. --fast leaves out 390 and
// 768 px, forced colours at 320, and the dark dress without scripts. --few looks at each page in four dresses in all, reads
// three of them with axe and walks it once: for states of pages that --fast looks at.
//
// What the browser itself complains about (console, CSP, trusted types, failed requests) is read before axe comes in, so
// no bypass of the policy is needed: axe arrives over the debugging protocol, which the policy does not bind.

import fs from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { args, dress, headersOf, launch, open, pagesOf, usage } from './browser.mjs';
import { clipped, focused, overflow, structure } from './probes.mjs';

const AXE = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

const dress1 = (width, scheme, forced = false) => ({ width, scheme, forced });

/** How a page is dressed, `how` closely. */
function dresses(js, how) {
  if (how === 'few') return js ? [dress1(320, 'light'), dress1(1280, 'dark'), dress1(1280, 'light', true)] : [dress1(320, 'light')];
  return [320, 390, 768, 1280]
    .filter((width) => how === 'all' || width === 320 || width === 1280)
    .flatMap((width) => ['light', 'dark']
      .filter((scheme) => how === 'all' || js || scheme === 'light')
      .flatMap((scheme) => (width === 1280 || (width === 320 && how === 'all') ? [false, true] : [false]).map((forced) => dress1(width, scheme, forced))));
}

/** Where the keyboard walks. */
const walks = (js, how) => (how === 'few' ? (js ? [{ width: 390, height: 640 }] : [])
  : [{ width: 1280, height: 500 }, { width: 390, height: 640 }, ...how === 'all' ? [{ width: 320, height: 256 }] : []]);

/** Everything axe has to say about the page as it is now. Forced colours are the system's, and axe reads those we would have. */
export async function axe(page, forced = false) {
  await page.evaluate(AXE);
  const answer = await page.evaluate((tags, forced) => window.axe.run(document, {
    runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'], rules: { 'color-contrast': { enabled: !forced } },
  }), TAGS, forced);
  return answer.violations.flatMap((v) => v.nodes.map((n) => ({
    rule: v.id, at: n.target.join(' '), detail: (n.any[0] ?? n.all[0] ?? n.none[0])?.message?.slice(0, 200) ?? v.help,
  })));
}

/** Tab through the page once: every stop must be seen, uncovered and large enough. */
export async function tabThrough(page, size) {
  await dress(page, size);
  await page.evaluate(() => { scrollTo(0, 0); document.activeElement?.blur(); });
  const found = [], seen = new Set();
  for (let i = 0; i < 200; i++) {
    await page.keyboard.press('Tab');
    const stop = await page.evaluate(focused);
    if (stop.end || seen.has(stop.key)) break;
    seen.add(stop.key);
    found.push(...stop.found);
  }
  return { found, stops: seen.size };
}

/** The spacing a reader may force (1.4.12): nothing may be cut off or pushed out. */
export async function spaced(page) {
  await dress(page, { width: 320 });
  await page.evaluate(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync('* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important; } p { margin-bottom: 2em !important; }');
    document.adoptedStyleSheets.push(sheet);
  });
  const found = [...await page.evaluate(clipped), ...await page.evaluate(overflow)];
  await page.evaluate(() => { document.adoptedStyleSheets.pop(); });
  return found;
}

/** All findings of one page. `note` hears of each finding with the dress it was seen in. */
export async function checkPage(browser, base, spec, note, { how = 'all', headers = {} } = {}) {
  for (const js of [true, false]) {
    const page = await open(browser, base, spec, { js, headers });
    const told = (dressed) => (f) => { if (!spec.allow?.includes(f.rule)) note({ page: spec.name, js, ...dressed, ...f }); };
    try {
      page.psaNoise.forEach((detail) => told({})({ rule: 'browser', at: spec.path, detail }));
      (await page.evaluate(structure)).forEach(told({}));
      for (const size of walks(js, how)) {
        const { found } = await tabThrough(page, size);
        found.forEach(told({ width: size.width, keyboard: true }));
      }
      (await spaced(page)).forEach(told({ width: 320, spaced: true }));
      for (const d of dresses(js, how)) {
        await dress(page, d);
        // Colours that the system forces are there with the next frame.
        await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
        (await page.evaluate(overflow)).forEach(told(d));
        (await page.evaluate(clipped)).forEach(told(d));
        if (how !== 'few' || !d.forced) (await axe(page, d.forced)).forEach(told(d));
      }
    } finally {
      await page.close();
    }
  }
}

async function main() {
  const a = args();
  if (!a.base || !a.pages) usage('check.mjs --base URL --pages FILE [--only NAME] [--header "Name: value"] [--fast | --few]');
  const { browser, close } = await launch();
  const started = Date.now();
  const pages = pagesOf(a.pages, a.only);
  let count = 0;
  const note = (finding) => { count++; console.log(JSON.stringify(finding)); };
  try {
    for (const spec of pages) {
      await checkPage(browser, a.base, spec, note, { how: a.few ? 'few' : a.fast ? 'fast' : 'all', headers: headersOf(a.header) })
        .catch((e) => note({ page: spec.name, rule: 'broken', at: spec.path, detail: String(e.message).slice(0, 300) }));
    }
  } finally {
    await close();
  }
  console.error(`${pages.length} pages, ${count} findings, ${Math.round((Date.now() - started) / 1000)} s`);
  process.exitCode = count ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
