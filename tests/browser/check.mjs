// Looks at every page in every dress and prints what is wrong, one JSON object a line. Exit 1 if anything is.
//
//   node tests/browser/check.mjs --base http://127.0.0.1:PORT --pages pages.json [--only NAME]...
//        [--header "Name: value"]... [--fast]
//
// pages.json: [{ "name": "settings", "path": "/c/01J8/settings", "status": 200,
//                "steps": [{ "fill": ["#site", "x"] }, { "submit": "button[value=test]" }],
//                "allow": ["rule-id"] }]                  steps and status are optional, see browser.mjs for the steps
//
// Each page is loaded twice, with scripts and without. In each load it is dressed 320, 390 and 1280 px wide, light and
// dark, and at 1280 also in forced colours; each dress is read by axe and measured by probes.mjs. Then the keyboard walks
// it at 1280x500 and 390x640, and it is stretched by the text spacing of WCAG 1.4.12. --fast leaves out 390 px and the dark
// dress without scripts.
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

const dresses = (js, fast) => [320, 390, 1280]
  .filter((width) => !fast || width !== 390)
  .flatMap((width) => ['light', 'dark']
    .filter((scheme) => !fast || js || scheme === 'light')
    .flatMap((scheme) => (width === 1280 ? [false, true] : [false]).map((forced) => ({ width, scheme, forced }))));

/** Everything axe has to say about the page as it is now. */
export async function axe(page) {
  await page.evaluate(AXE);
  const answer = await page.evaluate((tags) => window.axe.run(document, { runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'] }), TAGS);
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
export async function checkPage(browser, base, spec, note, { fast = false, headers = {} } = {}) {
  for (const js of [true, false]) {
    const page = await open(browser, base, spec, { js, headers });
    const told = (dressed) => (f) => { if (!spec.allow?.includes(f.rule)) note({ page: spec.name, js, ...dressed, ...f }); };
    try {
      page.psaNoise.forEach((detail) => told({})({ rule: 'browser', at: spec.path, detail }));
      (await page.evaluate(structure)).forEach(told({}));
      for (const size of [{ width: 1280, height: 500 }, { width: 390, height: 640 }]) {
        const { found } = await tabThrough(page, size);
        found.forEach(told({ width: size.width, keyboard: true }));
      }
      (await spaced(page)).forEach(told({ width: 320, spaced: true }));
      for (const d of dresses(js, fast)) {
        await dress(page, d);
        (await page.evaluate(overflow)).forEach(told(d));
        (await page.evaluate(clipped)).forEach(told(d));
        (await axe(page)).forEach(told(d));
      }
    } finally {
      await page.close();
    }
  }
}

async function main() {
  const a = args();
  if (!a.base || !a.pages) usage('check.mjs --base URL --pages FILE [--only NAME] [--header "Name: value"] [--fast]');
  const { browser, close } = await launch();
  const started = Date.now();
  const pages = pagesOf(a.pages, a.only);
  let count = 0;
  const note = (finding) => { count++; console.log(JSON.stringify(finding)); };
  try {
    for (const spec of pages) {
      await checkPage(browser, a.base, spec, note, { fast: !!a.fast, headers: headersOf(a.header) })
        .catch((e) => note({ page: spec.name, rule: 'broken', at: spec.path, detail: String(e.message).slice(0, 300) }));
    }
  } finally {
    await close();
  }
  console.error(`${pages.length} pages, ${count} findings, ${Math.round((Date.now() - started) / 1000)} s`);
  process.exitCode = count ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
