// Plays with psa.js on the gallery: each comfort does what it says, under the strict policy, without a word on the console.
//
//   node tests/browser/script.mjs
//
// Serves the gallery itself. Prints one JSON line for each comfort that fails, and exits 1 if there is one.

import { launch, open } from './browser.mjs';
import { serve } from './serve.mjs';

const { base, close: closeServer } = await serve();
const { browser, close } = await launch();
let failed = 0, page;
const say = (what, why) => { failed++; console.log(JSON.stringify({ what, why })); };
const is = async (what, ask, ...more) => {
  const answer = await page.evaluate(ask, ...more).catch((e) => e.message);
  if (answer !== true) say(what, answer);
};
const until = (what, ask) => page.waitForFunction(ask, { timeout: 5000 }).catch((e) => say(what, e.message));
const fresh = async () => { await page?.close(); page = await open(browser, base, { path: '/form.html' }); };
const noise = (what) => page.psaNoise.forEach((line) => say(what, line));

try {
  await fresh();
  await is('the error summary has the focus', () => document.activeElement.matches('[data-psa-errors]'));
  await is('a field of another choice is hidden', () => document.querySelector('#host').closest('[data-when]').hidden);
  await page.select('#site', 'custom');
  await is('it comes back with the choice', () => !document.querySelector('#host').closest('[data-when]').hidden);
  await page.click('[name=cb]');
  await is('a box decides too', () => !document.querySelector('[data-when*=cb]').hidden);
  await is('a hidden required field does not stop the form', () => document.querySelector('#private_key').closest('[data-when]').hidden);

  await is('a secret that was not typed offers no reveal', () => [...document.querySelectorAll('[aria-controls=key1]')].every((b) => b.hidden));
  await page.type('#key1', 'typed');
  await page.click('[aria-controls=key1]');
  await is('a typed secret is shown', () => document.querySelector('#key1').type === 'text');
  await page.click('[aria-controls=key1]');
  await is('and hidden again', () => document.querySelector('#key1').type === 'password');

  await is('a list has a row for each line', () => document.querySelectorAll('.psa-rows input').length === 2 && document.querySelector('[name=domains]').hidden);
  await is('the error summary still finds it', () => document.querySelector('#domains').matches('.psa-rows input'));
  await page.click('.psa-rows > button');
  await page.keyboard.type('third.example');
  await is('a new row is sent', () => document.querySelector('[name=domains]').value === 'contoso.example\nfabrikam\nthird.example');
  await page.click('.psa-rows > div button');
  await is('a removed row is not', () => document.querySelector('[name=domains]').value === 'fabrikam\nthird.example');

  await page.type('input[name="company2.find"]', '123');
  await is('a long list narrows', () => [...document.querySelector('#company2').options].filter((o) => !o.hidden).length === 2);
  await page.evaluate(() => document.querySelector('[value="find:company2"]').addEventListener('click', (e) => { e.preventDefault(); window.looked = true; }));
  await page.keyboard.press('Enter');
  await is('Enter looks for the rest', () => window.looked === true);

  await browser.defaultBrowserContext().overridePermissions(base, ['clipboard-read', 'clipboard-write', 'clipboard-sanitized-write']);
  await page.bringToFront();
  await page.click('[data-copy=cburl]');
  await until('a copy is announced', () => document.querySelector('[data-psa-live]').textContent === 'Copied');

  await page.click('[data-swap]');
  await until('one region is swapped', () => document.querySelector('#report').textContent.includes('Works'));
  await is('it takes the focus, the rest stays', () => document.activeElement.id === 'report' && document.querySelector('#key1').value === 'typed');
  await is('the form is still marked as changed', () => !!document.querySelector('form[data-dirty]'));
  noise('nothing is said on the console');

  let asked = false;
  page.on('dialog', (d) => { asked = true; d.accept(); });
  await page.goto(`${base}/states.html`);
  if (!asked) say('leaving with changes asks first', 'no question');

  await fresh();
  let posts = 0;
  await page.setRequestInterception(true);
  page.on('request', (r) => { if (r.method() === 'POST') { posts++; setTimeout(() => r.continue(), 300); } else r.continue(); });
  const gone = page.waitForNavigation({ timeout: 8000 }).catch((e) => say('a form is sent', e.message));
  await page.evaluate(() => { const b = document.querySelector('[value=test_save]'); document.querySelector('form').noValidate = true; b.click(); b.click(); });
  await gone;
  if (posts !== 1) say('a double click sends once', `${posts} posts`);

  await fresh();
  await page.evaluate(() => { document.querySelector('[data-swap]').setAttribute('formaction', '/redirect'); });
  await Promise.all([page.waitForNavigation({ timeout: 8000 }).catch((e) => say('a redirect is followed', e.message)), page.click('[data-swap]')]);
  if (!page.url().endsWith('/states.html')) say('a redirect to another page is followed', page.url());

  await fresh();
  await page.evaluate(() => { document.querySelector('[data-swap]').dataset.swap = '#absent'; document.querySelector('.psa-card').id = 'absent'; document.querySelector('form').noValidate = true; });
  await Promise.all([page.waitForNavigation({ timeout: 8000 }).catch((e) => say('without the region the form is sent', e.message)), page.click('[data-swap]')]);
  if (!page.url().endsWith('/report.html')) say('without the region the form is sent plainly', page.url());
} finally {
  await close();
  closeServer();
}
console.error(failed ? `${failed} failed` : 'psa.js does what it says');
process.exitCode = failed ? 1 : 0;
