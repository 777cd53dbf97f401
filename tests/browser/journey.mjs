// The whole journey of an administrator through the pages, from the keyboard's point of view: forms are filled in and sent, and
// what comes back is read. What the product and the people at the PSA do meanwhile goes through their own doors. Exit 1 at the
// first step that does not go as it should.
//
//   node tests/browser/journey.mjs --base http://127.0.0.1:PORT/ann --key '{"server":…,"company":…,…}' [--without-scripts]
//
// --base: the page of a helpdesk where nothing is connected yet; beside it /-api/METHOD calls the host and /-sim/… is the
// simulator's control door. --key: the account for trying: server, company, client_id, public_key, private_key.

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

/** A path of ours, or a link that was read from a page. */
async function go(path) {
  const mount = new URL(a.base).pathname;
  await page.goto(path.startsWith(mount) ? new URL(path, a.base).href : a.base + path, { waitUntil: 'load' });
}

/** Looks at a page again and again until it says so, as a person would. */
async function until(step, path, ...words) {
  for (let i = 0; i < 600; i++) {
    await go(path);
    const shown = await text();
    if (words.every((one) => shown.includes(one))) break;
    await new Promise((done) => setTimeout(done, 100));
  }
  await says(step, ...words);
}

async function door(method, path, body) {
  const answer = await fetch(new URL(path, a.base), { method, body: body && JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}
/** What the product does. */
const api = (method, params) => door('POST', `/-api/${method}`, params);
/** What happens at the PSA. */
const sim = (path, body) => door('POST', `/-sim/${path}`, body);

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
  page = await open(browser, a.base, { path: `${new URL(a.base).pathname}/` }, { js });
  await page.setJavaScriptEnabled(js);
  page.on('dialog', (dialog) => dialog.accept()); // "leave without saving?", where something waits to be saved
  await go('/');
  await says('nothing is connected yet', 'Nothing connected yet', 'Available integrations');

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

  await go(`${fabrikam}/map/members`);
  const free = await page.$$eval('select[id^="to-"]', (all) => all.find((one) => !one.value)?.name ?? '');
  const member = await page.$eval(`[name="${free}"]`, (el) => [...el.options].filter((one) => one.value && one.value !== '-').at(-1).value);
  await choose(free, member);
  await button('Save');
  await says('a member is mapped', 'Mapped', '1 of 9');

  await go(`${fabrikam}/map/statuses?scope=2`);
  const parts = await page.$$eval('select[id^="to-"]', (all) => all.find((one) => one.closest('tr').innerText.includes('Waiting for parts')).name);
  await choose(parts, await option(parts, 'Waiting'));
  await button('Save');
  await says('a status is mapped', 'Mapped', '1 of 4');

  const connection = fabrikam.split('/').at(-1);
  await until('callbacks are registered', `${fabrikam}/callbacks`, 'the first one is still to come', 'ticket');
  const link = await api('links.create', { connection, product_ticket: 'HD-4711', ticket: '1001' });
  await go(`${fabrikam}/tickets`);
  await says('a ticket is linked', 'HD-4711', 'In step');
  const note = (words) => api('notes.post', { link: link.link, visibility: 'internal', text: words });
  await note('Looked at it on the spot.');
  await until('a note is posted', `${fabrikam}/tickets/${link.link}`, 'Internal note', 'Delivered');
  if ((await text()).includes('on the spot')) throw new Error('the words of a note are shown');
  await sim('tickets/1001', { summary: 'The printer is repaired' });
  await until('a callback arrives', `${fabrikam}/callbacks`, 'Healthy', 'ticket 1001 changed', 'Applied');

  const doubtful = async (words, other) => {
    await sim('faults', { endpoint: 'add_note', fault: 'reset_before_commit', times: 1 });
    const { operation } = await note(words);
    const here = `${fabrikam}/operations/${operation}`;
    await until('it is not known whether a note has arrived', here, 'In doubt', 'looked for again and again');
    await sim('tickets/1001', { note: { text: other, createdBy: 'psabridge', internal: true } });
    await until('somebody has to decide', here, 'Needs a decision', 'It is already there');
  };
  await doubtful('The printer on the second floor jams.', 'Quite other words altogether.');
  await button('That is it');
  await says('what was found is the note', 'Noted: it is there.', 'Delivered', 'Ann Lee');
  await doubtful('The scanner jams too.', 'Still other words.');
  await page.$eval('#discard [name=sure]', (el) => el.click());
  await button('Drop it');
  await says('another one is dropped', 'Dropped.', 'Decided by Ann Lee');

  await sim('account', { private_key: 'the-next-key-00' });
  await door('POST', '/-api/tickets.get', { connection, ticket: '1001', fresh: true }).catch(() => 'it is refused');
  await go('/');
  await says('a key that was taken back is seen', 'Sign-in expired');
  await note('This one waits.');
  await button('Update credentials');
  await says('only the secrets are asked for', 'Stays as it is', '1 change waits');
  await page.$eval('[name="private_key.op"][value="replace"]', (el) => el.click());
  await fill('private_key', 'still-not-right');
  await button('Test and save');
  page.psaNoise.length = 0;
  await says('a wrong one is refused, and nothing is lost', 'Does not work');
  await fill('private_key', 'the-next-key-00');
  await button('Test and save');
  await says('the new one is taken', 'Signed in again', 'Connected');
  await until('what has waited is sent', `${fabrikam}/tickets/${link.link}`, 'In step');
  await go(`${fabrikam}/callbacks`);
  await button('Renew the tokens');
  await says('the tokens of callbacks are renewed', 'The tokens were renewed', 'Replaced');

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
