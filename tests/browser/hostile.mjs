// Puts our pages inside other people's pages and asks whether they still look like ours.
//
//   node tests/browser/hostile.mjs --base http://127.0.0.1:PORT --pages pages.json [--only NAME]... [--header "Name: value"] [--out DIR]
//
// Each page is one that the product has drawn around a fragment of ours (a whole page of ours is moved into a
// `<div class="psa-root">` first). It is measured plain and then with Bootstrap 5, Bulma 1, Pico 2 and a hostile sheet, each put
// *after* psa.css, which is the worst place for us. The computed style of every element and of ::before and ::after must be
// the same as in the plain page, and so must be where it stands and how large it is. Prints one JSON line for each kind of
// difference; exits 1 if there is one that KNOWN does not list. With --out a picture of each is kept, as numbers once missed
// what a picture showed.

import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { args, dress, headersOf, launch, open, pagesOf, usage } from './browser.mjs';

const require = createRequire(import.meta.url);
const sheet = (file) => fs.readFileSync(require.resolve(file), 'utf8');
const PRODUCTS = {
  bootstrap: sheet('bootstrap/dist/css/bootstrap.min.css'),
  bulma: sheet('bulma/css/bulma.min.css'),
  pico: sheet('@picocss/pico/css/pico.min.css'),
  hostile: `* { margin: 3px; letter-spacing: 1px } body { text-align: center; text-transform: uppercase; word-spacing: 9px }
    div { line-height: 3; color: red } p { font-size: 30px } a { color: red; text-decoration: none } a:hover { color: lime }
    h1, h2, h3 { font-size: 60px; text-transform: uppercase } label { display: block; font-size: 30px } legend { font-size: 40px; float: left }
    input, select, textarea { width: auto; border: 4px dashed red; border-radius: 0; padding: 20px }
    input[type=text], input[type=password], input[type=search] { height: 60px; background: yellow }
    button { background: purple; color: lime; text-transform: uppercase; font-size: 30px } fieldset { border: 3px solid; padding: 30px }
    table { border: 5px solid red } td, th { padding: 30px; background: pink } tr:nth-child(even) td { background: gold }
    ul, li { list-style: square; padding-left: 50px } progress { height: 40px; accent-color: red } summary { color: red }
    a::after { content: "!" } li::before { content: "-"; color: red } .btn, .card, .table { outline: 9px solid red }`,
};

// What Pico still reaches, and why it may: its rules for search, invalid and disabled fields weigh (0,2,1) and more, such as
// `input:not([type=checkbox],[type=radio],[type=range])[type=search]`: an icon and room for it, or joined corners in a search
// form. Its rule for readers who want no motion is `!important`. All of it is harmless and looks like Pico.
const KNOWN = {
  pico: [
    /^\S+ place$/, // what the others make of it
    /^\S+ animation-(delay|duration)$/,
    /^(INPUT|SELECT|TEXTAREA)\.psa-(input|check) (background-|padding-|margin-|border-.*-radius|position|opacity|pointer-events)/,
    /^(LABEL\.psa-sr|(BUTTON|A)\.psa-btn) (border-.*-radius|margin-)/,
  ],
};

/** The computed styles of all that is ours, and where it stands, inside a product's page that has this sheet. */
function measure(css) {
  const s = new CSSStyleSheet();
  s.replaceSync(`${css} html, body, div.psa-root { margin: 0 !important; padding: 0 !important; border: 0 !important }`); // where we stand is the product's
  const div = document.querySelector('div.psa-root') ?? document.createElement('div');
  if (!div.isConnected) {
    document.documentElement.className = '';
    document.body.className = '';
    div.className = 'psa-root';
    div.dataset.psaJs = '1';
    div.append(...document.body.childNodes);
    document.body.append(div);
  }
  document.adoptedStyleSheets = [s];
  // color-scheme comes from the product on purpose, so that we are dark where it is. The rest are used values that follow from the size of other things; a real difference shows in what made them.
  const skip = /^(width|height|inline-size|block-size|top|bottom|left|right|inset|perspective-origin|transform-origin|-webkit-|color-scheme|--)/;
  const from = div.getBoundingClientRect();
  const place = (e) => { const r = e.getBoundingClientRect(); return [r.left - from.left, r.top - from.top, r.width, r.height].map(Math.round).join(' '); };
  const read = (e, pseudo) => {
    const g = getComputedStyle(e, pseudo), own = {};
    if (pseudo && g.content === 'none') return { content: 'none' };
    for (const p of g) if (!skip.test(p)) own[p] = g.getPropertyValue(p);
    if (!pseudo) own.place = place(e);
    return own;
  };
  const all = [...div.querySelectorAll('*:not(option, svg, svg *)')];
  const styles = all.flatMap((e) => [null, '::before', '::after'].map((pseudo) => ({
    at: `${e.tagName}${pseudo ?? ''}.${(e.getAttribute('class') ?? '').split(' ')[0]}`, style: read(e, pseudo),
  })));
  return styles;
}

function differences(plain, dressed) {
  const found = new Map();
  let compared = 0;
  dressed.forEach(({ at, style }, i) => {
    for (const [prop, value] of Object.entries(style)) {
      compared++;
      const was = plain[i].style[prop];
      if (was === value) continue;
      const key = `${at} ${prop}`;
      const entry = found.get(key) ?? { at, prop, was, is: value, times: 0 };
      entry.times++;
      found.set(key, entry);
    }
  });
  return { compared, found: [...found.values()] };
}

const a = args();
if (!a.base || !a.pages) usage('hostile.mjs --base URL --pages FILE [--only NAME] [--out DIR]');
const { browser, close } = await launch();
let unknown = 0;
try {
  for (const spec of pagesOf(a.pages, a.only)) {
    const page = await open(browser, a.base, spec, { headers: headersOf(a.header) });
    await dress(page, { width: 1280 });
    await page.evaluate(() => document.activeElement?.blur());
    const plain = await page.evaluate(measure, '');
    for (const [product, css] of Object.entries(PRODUCTS)) {
      const { compared, found } = differences(plain, await page.evaluate(measure, css));
      const news = found.filter((f) => !(KNOWN[product] ?? []).some((k) => k.test(`${f.at} ${f.prop}`)));
      news.forEach((f) => console.log(JSON.stringify({ page: spec.name, product, ...f })));
      unknown += news.length;
      console.error(`${spec.name} in ${product}: ${found.length} kinds of difference, ${news.length} of them new, ${compared} values compared`);
      if (a.out) {
        fs.mkdirSync(a.out, { recursive: true });
        await page.screenshot({ path: path.join(a.out, `${spec.name}-in-${product}.png`), fullPage: true });
      }
    }
    await page.close();
  }
} finally {
  await close();
}
process.exitCode = unknown ? 1 : 0;
