// What every script here shares: arguments, Chromium, opening a page as a visitor, its steps.
//
// Holds: no check and no opinion. Leaves to others: what is looked at (probes.mjs), what is asked (check.mjs).
// Chromium is the installed one (PSA_CHROMIUM, or /usr/bin/chromium): puppeteer-core downloads nothing.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import puppeteer from 'puppeteer-core';

/** `--name value` pairs and lone `--flag`s; a name given twice becomes a list. */
export function args(argv = process.argv.slice(2)) {
  const found = {};
  for (let i = 0; i < argv.length; i++) {
    const name = argv[i].replace(/^--/, '');
    const value = argv[i + 1] === undefined || argv[i + 1].startsWith('--') ? true : argv[++i];
    found[name] = name in found ? [found[name], value].flat() : value;
  }
  return found;
}

/** Ends with a sentence on how to call the script; the header of the file says more. */
export function usage(text) {
  console.error(`usage: ${text}`);
  process.exit(2);
}

/** The list of pages: `[{ "name": "overview", "path": "/c/01J8/", "steps": [..], "allow": ["rule"] }]`. */
export function pagesOf(file, only) {
  const pages = JSON.parse(fs.readFileSync(file, 'utf8'));
  const wanted = only && [only].flat();
  const chosen = wanted ? pages.filter((p) => wanted.includes(p.name)) : pages;
  if (!chosen.length) usage(`no page of ${file} is named ${wanted}`);
  return chosen;
}

/** A Chromium of our own, with a profile that is thrown away. */
export async function launch() {
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'psa-browser-'));
  const browser = await puppeteer.launch({
    executablePath: process.env.PSA_CHROMIUM || '/usr/bin/chromium',
    headless: true,
    userDataDir: profile,
    protocolTimeout: 120_000,
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', '--force-color-profile=srgb', '--hide-scrollbars'],
  });
  return {
    browser,
    async close() {
      await browser.close();
      fs.rmSync(profile, { recursive: true, force: true });
    },
  };
}

/** Width, scheme and forced colours can change under a loaded page, so one load serves many looks. */
export async function dress(page, { width, height = 900, scheme = 'light', forced = false }) {
  await page.setViewport({ width, height });
  await page.emulateMediaFeatures([
    { name: 'prefers-color-scheme', value: scheme },
    { name: 'prefers-reduced-motion', value: 'reduce' }, // a picture or a colour half-way through a transition is no finding
  ]);
  const cdp = (page.psaCdp ??= await page.createCDPSession());
  await cdp.send('Emulation.setEmulatedMedia', {
    features: [
      { name: 'prefers-color-scheme', value: scheme },
      { name: 'prefers-reduced-motion', value: 'reduce' },
      { name: 'forced-colors', value: forced ? 'active' : 'none' },
    ],
  });
}

/** Opens `spec.path` and walks its steps. Console errors and CSP reports are kept in `page.psaNoise`. */
export async function open(browser, base, spec, { js = true, headers = {} } = {}) {
  const page = await browser.newPage();
  page.setDefaultTimeout(90_000); // the machine may be busy with other tests
  page.psaNoise = [];
  page.on('console', (m) => { if (m.type() === 'error' || /Content Security Policy|Trusted/i.test(m.text())) page.psaNoise.push(m.text().slice(0, 300)); });
  page.on('pageerror', (e) => page.psaNoise.push(`script: ${e.message}`));
  page.on('requestfailed', (r) => page.psaNoise.push(`request: ${r.url()} ${r.failure()?.errorText}`));
  await page.setJavaScriptEnabled(js);
  if (Object.keys(headers).length) await page.setExtraHTTPHeaders(headers);
  await dress(page, { width: 1280 });
  const answer = await page.goto(new URL(spec.path, base).href, { waitUntil: 'load' });
  const wanted = spec.status ?? 200;
  if (answer.status() !== wanted) page.psaNoise.push(`status ${answer.status()}, expected ${wanted}`);
  // Chromium itself logs a line for each 4xx document; a page that is meant to be one must not fail by it.
  if (wanted >= 400) page.psaNoise = page.psaNoise.filter((line) => !line.startsWith('Failed to load resource'));
  for (const step of spec.steps ?? []) await walk(page, step);
  // Nor by an answer that says what was wrong with what was sent in.
  if (spec.steps?.some((step) => step.submit)) page.psaNoise = page.psaNoise.filter((line) => !line.startsWith('Failed to load resource'));
  // The page has been built without scripts; axe needs promises and timers, so they are allowed from here on.
  if (!js) await page.setJavaScriptEnabled(true);
  return page;
}

/**
 * One step: `{click}`, `{fill:[sel,text]}`, `{select:[sel,value]}`, `{press}`, `{wait}`, `{submit}` (waits for the next page;
 * with `plain` as without scripts). What no person does, but a page that is old or made up: `{set:[sel,value]}`, `{remove}`,
 * `{last}` (of a list), `{loose}` (a form is sent as it is), `{flood}` (sixty forms in a moment).
 */
export async function walk(page, step) {
  const at = (selector, act, ...more) => page.$eval(selector, act, ...more);
  if (step.fill) { await at(step.fill[0], (el) => { el.value = ''; }); await page.type(...step.fill); }
  if (step.select) await page.select(...step.select);
  if (step.press) await page.keyboard.press(step.press);
  if (step.click) await at(step.click, (el) => el.click());
  if (step.set) await at(step.set[0], (el, value) => { el.value = value; }, step.set[1]);
  if (step.remove) await at(step.remove, (el) => el.remove());
  if (step.last) await at(step.last, (el) => { el.value = [...el.options].at(-1).value; });
  if (step.loose) await at(step.loose, (el) => { el.noValidate = true; });
  if (step.flood) await page.evaluate((path, token) => Promise.all(Array.from({ length: 60 }, () => fetch(path, { method: 'POST', body: new URLSearchParams({ _token: token }) }))), step.flood, await at('[name=_token]', (el) => el.value));
  if (step.plain) await at(step.submit, (el) => { delete el.dataset.swap; });
  if (step.submit) await Promise.all([page.waitForNavigation({ waitUntil: 'load' }), at(step.submit, (el) => el.click())]);
  if (step.wait) await page.waitForSelector(step.wait, { timeout: 10_000 });
}

/** `--header "Name: value"`, once or more: how a test tells the product who is asking. */
export function headersOf(option) {
  return Object.fromEntries([option ?? []].flat().map((line) => {
    const at = line.indexOf(':');
    return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
  }));
}
