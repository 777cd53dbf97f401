// Takes a picture of every page, so that somebody looks at it.
//
//   node tests/browser/shots.mjs --base http://127.0.0.1:PORT --pages pages.json --out DIR [--only NAME]...
//        [--header "Name: value"]... [--widths 1280,390] [--schemes light,dark] [--forced] [--viewport]
//
// Writes DIR/NAME-SCHEME-WIDTH.png of the whole page; --viewport only what a window of 900 px shows, with the bar where it
// sticks; --forced adds NAME-forced-WIDTH.png. The page list is that of check.mjs.

import fs from 'node:fs';
import path from 'node:path';
import { args, dress, headersOf, launch, open, pagesOf, usage } from './browser.mjs';

const a = args();
if (!a.base || !a.pages || !a.out) usage('shots.mjs --base URL --pages FILE --out DIR [--only NAME]');
const list = (text, standard) => String(text ?? standard).split(',');
const looks = list(a.schemes, 'light,dark').map((scheme) => ({ name: scheme, scheme }));
if (a.forced) looks.push({ name: 'forced', scheme: 'light', forced: true });

fs.mkdirSync(a.out, { recursive: true });
const { browser, close } = await launch();
try {
  for (const spec of pagesOf(a.pages, a.only)) {
    const page = await open(browser, a.base, spec, { headers: headersOf(a.header) });
    for (const width of list(a.widths, '1280,390').map(Number)) {
      for (const { name, ...look } of looks) {
        await dress(page, { width, height: 900, ...look });
        await page.evaluate(() => scrollTo(0, 0));
        const file = path.join(a.out, `${spec.name}-${name}-${width}.png`);
        await page.screenshot({ path: file, fullPage: !a.viewport });
        console.log(file);
      }
    }
    await page.close();
  }
} finally {
  await close();
}
