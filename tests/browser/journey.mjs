// The whole journey of an administrator through the pages of `psa demo`, from the keyboard's point of view: forms are filled
// in and sent, and what comes back is read. Exit 1 at the first step that does not go as it should.
//
//   node tests/browser/journey.mjs --base http://127.0.0.1:PORT --key '{"server":…,"company":…,…}' [--without-scripts]
//
// --key: the account that `psa demo` prints for trying: server, company, client_id, public_key, private_key.

import { args, launch, open, usage } from './browser.mjs';

const a = args();
if (!a.base || !a.key) usage('journey.mjs --base URL --key JSON [--without-scripts]');
const key = JSON.parse(a.key);
const js = !a['without-scripts'];
const { browser, close } = await launch();
let page;

/** What a reader reads. */
const text = () => page.evaluate(() => document.querySelector('.psa-root').innerText.replace(/\s+/g, ' '));

async function says(step, ...words) {
  const shown = await text();
  for (const one of words) if (!shown.includes(one)) throw new Error(`${step}: nothing says "${one}" at ${page.url()}: ${shown.slice(0, 1500)}`);
  if (page.psaNoise.length) throw new Error(`${step}: ${page.psaNoise.join('; ')}`);
  console.log(`ok: ${step}`);
}

async function go(path) {
  await page.goto(new URL(path, a.base).href, { waitUntil: 'load' });
}

/** Types into a field, over what is there. */
async function fill(name, value) {
  const field = `[name="${name}"]`;
  await page.waitForSelector(field);
  await page.$eval(field, (el, text) => { el.value = text; el.dispatchEvent(new Event('input', { bubbles: true })); }, value);
}

async function choose(name, value) {
  await page.select(`[name="${name}"]`, value);
}

/** The value of the first option that has this in its words. */
const option = (select, words) => page.$eval(`[name="${select}"]`, (el, words) =>
  [...el.options].find((one) => one.value && !one.disabled && one.text.includes(words))?.value ?? '', words);

/** Presses a button and waits for what comes back, a page or a part of one. */
async function press(selector) {
  await Promise.all([page.waitForNavigation({ waitUntil: 'load', timeout: 60_000 }), page.$eval(selector, (el) => el.click())]);
}

const pressed = (words) => page.$$eval('button, a.psa-btn', (all, words) => {
  const found = all.find((one) => one.innerText.trim().startsWith(words));
  found?.setAttribute('data-journey', '1');
  return Boolean(found);
}, words);

async function button(words) {
  if (!await pressed(words)) throw new Error(`there is no button "${words}" at ${page.url()}: ${(await text()).slice(0, 800)}`);
  await press('[data-journey]');
}

try {
  page = await open(browser, a.base, { path: '/' }, { js });
  await page.setJavaScriptEnabled(js);
  page.on('dialog', (dialog) => dialog.accept()); // "leave without saving?", where something waits to be saved
  await go('/');
  await says('the list shows what needs somebody', 'Our ConnectWise', 'Sign-in expired', 'Available integrations');

  await go('/new/connectwise');
  await fill('_name', 'Fabrikam');
  await choose('site', 'custom');
  await fill('host', key.server);
  await fill('company_id', key.company);
  await fill('client_id', key.client_id);
  await fill('public_key', key.public_key);
  await fill('private_key', 'not-the-right-one');
  await button('Test and continue');
  page.psaNoise.length = 0; // Chromium logs a line for the 422 itself
  await says('a wrong key does not pass its test', 'Does not work', 'A new value was entered and is not saved yet');
  if (await page.$eval('[name="company_id"]', (el) => el.value) !== key.company) throw new Error('what was entered is gone');
  if ((await page.content()).includes('not-the-right-one')) throw new Error('the secret came back');

  await fill('private_key', key.private_key);
  await button('Test and continue');
  await says('the right one passes, and the next step has choices', 'Signed in', 'Step 2 of 3');
  const board = await page.$eval('[name="default_board"]', (el) => [...el.options].find((one) => one.value)?.value ?? '');
  if (!board) throw new Error('no board can be chosen');
  await choose('default_board', board);
  await button('Save and continue');
  await says('the last step', 'Step 3 of 3');
  await button('Test and finish');
  await says('it is connected', 'Connected.', 'What works');
  const fabrikam = new URL(page.url()).pathname;

  await go(`${fabrikam}/settings`);
  await says('what was chosen is kept', 'Stored.', 'Fingerprint');
  if (await page.$eval('[name="default_board"]', (el) => el.value) !== board) throw new Error('the board was not kept');

  await go('/');
  const ours = await page.$$eval('a', (all) => all.find((one) => one.innerText.trim() === 'Our ConnectWise').getAttribute('href'));
  await go(`${ours}/map/members`);
  const free = await page.$$eval('select[id^="to-"]', (all) => all.find((one) => !one.value)?.name ?? '');
  const member = await page.$eval(`[name="${free}"]`, (el) => [...el.options].filter((one) => one.value && one.value !== '-').at(-1).value);
  await choose(free, member);
  await button('Save');
  await says('a member is mapped', 'Mapped');

  await go(`${ours}/map/statuses?scope=2`);
  const parts = await page.$$eval('select[id^="to-"]', (all) => all.find((one) => one.closest('tr').innerText.includes('Waiting for parts')).name);
  await choose(parts, await option(parts, 'Waiting'));
  await button('Save');
  await says('a status is mapped', 'Mapped');

  await go(`${ours}/tickets`);
  await says('the tickets and how they stand', 'HD-4711', 'In step');
  await go(`${ours}/callbacks`);
  await says('callbacks arrive', 'Deliveries');

  await go('/');
  await button('Update credentials');
  await says('only the secrets are asked for', 'Stays as it is');
  await page.$eval('[name="private_key.op"][value="replace"]', (el) => el.click());
  await fill('private_key', 'still-not-right');
  await button('Test and save');
  page.psaNoise.length = 0;
  await says('a wrong one is refused, and nothing is lost', 'Does not work');

  await go(`${fabrikam}/remove`);
  await says('removing says what depends on it', 'Pause', 'Disconnect', 'Delete');
  await page.$eval('[name="what"][value="disconnect"]', (el) => el.click());
  await fill('confirm', await page.$eval('label[for="confirm"] code', (el) => el.innerText));
  await button('Disconnect');
  await says('it is disconnected, and what it had is kept', 'Disconnected');
  await go('/');
  await says('the list says so', 'Fabrikam', 'Disconnected');
  console.log('the journey is complete');
} catch (error) {
  console.error(String(error.stack ?? error));
  process.exitCode = 1;
} finally {
  await close();
}
