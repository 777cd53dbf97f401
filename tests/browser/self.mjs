// Does check.mjs find what it is there to find? gallery/bad.html does everything wrong once; a check that stays silent on it
// would stay silent on a real page too.
//
//   node tests/browser/self.mjs        exits 1 and names each rule that found nothing

import { checkPage } from './check.mjs';
import { launch } from './browser.mjs';
import { serve } from './serve.mjs';

const EXPECTED = ['browser', 'one-h1', 'heading-order', 'inline', 'duplicate-id', 'label', 'page-overflow', 'element-overflow', 'target-size'];

const { base, close: closeServer } = await serve();
const { browser, close } = await launch();
const found = new Set();
try {
  await checkPage(browser, base, { name: 'bad', path: '/bad.html' }, (f) => found.add(f.rule), { how: 'fast' });
} finally {
  await close();
  closeServer();
}
const silent = EXPECTED.filter((rule) => !found.has(rule));
silent.forEach((rule) => console.log(JSON.stringify({ rule, why: 'found nothing on bad.html' })));
console.error(`${EXPECTED.length - silent.length} of ${EXPECTED.length} rules spoke`);
process.exitCode = silent.length ? 1 : 0;
