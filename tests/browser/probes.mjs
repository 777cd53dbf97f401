// Probes that run inside the page. Each is a plain function, sent over by page.evaluate, and returns findings:
// { rule, at, detail }. They read layout and focus; none changes the page for good.

/** One h1, no level left out, a title, a language, and nothing written as an inline style. */
export function structure() {
  const found = [];
  const levels = [...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].filter((h) => h.getClientRects().length).map((h) => +h.tagName[1]);
  const ones = levels.filter((l) => l === 1).length;
  if (ones !== 1) found.push({ rule: 'one-h1', at: 'document', detail: `${ones} h1` });
  levels.forEach((l, i) => { if (i && l > levels[i - 1] + 1) found.push({ rule: 'heading-order', at: `h${l}`, detail: `after h${levels[i - 1]}` }); });
  const inline = document.querySelectorAll('.psa-root [style], .psa-root style, .psa-root script:not([src])');
  if (inline.length) found.push({ rule: 'inline', at: inline[0].outerHTML.slice(0, 120), detail: `${inline.length} inline style or script` });
  const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
  ids.filter((id, i) => ids.indexOf(id) !== i).forEach((id) => found.push({ rule: 'duplicate-id', at: `#${id}`, detail: '' }));
  return found;
}

/** Nothing sticks out of the window, sideways. What lies in a sideways scroller may; the scroller itself may not. */
export function overflow() {
  const found = [];
  const name = (e) => `${e.tagName.toLowerCase()}.${e.getAttribute('class') ?? ''} ${e.textContent.trim().slice(0, 40)}`;
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  if (wide > 0) found.push({ rule: 'page-overflow', at: 'document', detail: `${wide} px too wide` });
  for (const e of document.querySelectorAll('.psa-root *')) {
    const r = e.getBoundingClientRect();
    if (!r.width || (r.right <= innerWidth + 1 && r.left >= -1)) continue;
    if (e.closest('.psa-sr, .psa-skip, .psa-thead, option, svg svg')) continue;
    const scroller = e.parentElement.closest('.psa-scroll');
    if (scroller && scroller.getBoundingClientRect().right <= innerWidth + 1) continue;
    found.push({ rule: 'element-overflow', at: name(e), detail: `${Math.round(r.left)} to ${Math.round(r.right)} of ${innerWidth}` });
    if (found.length > 4) break;
  }
  return found;
}

/** Text cut off inside a box that does not scroll: what letter and line spacing of WCAG 1.4.12 would break. */
export function clipped() {
  const found = [];
  for (const e of document.querySelectorAll('.psa-root :is(button, .psa-btn, .psa-badge, .psa-tab, .psa-count, h1, h2, h3, p, label, legend, td, th, dd, dt)')) {
    if (!e.clientWidth || e.closest('.psa-sr') || e.matches('.psa-sr')) continue;
    const css = getComputedStyle(e);
    if (css.overflowX === 'visible' && css.overflowY === 'visible') continue;
    if (e.scrollHeight > e.clientHeight + 2 || e.scrollWidth > e.clientWidth + 2) found.push({ rule: 'clipped-text', at: e.textContent.trim().slice(0, 50), detail: e.className });
  }
  return found;
}

/** The element that has the keyboard: can it be seen, is it covered, is it large enough, does it show its focus? */
export function focused() {
  const e = document.activeElement;
  if (!e || e === document.body || e === document.documentElement) return { end: true };
  const name = e.id ? `#${e.id}` : `${e.tagName.toLowerCase()} "${e.textContent.trim().slice(0, 40)}"`;
  const found = [], css = getComputedStyle(e), r = e.getBoundingClientRect();
  const points = [[.5, .5], [.08, .5], [.92, .5], [.5, .15], [.5, .85]];
  const over = points.map(([x, y]) => document.elementFromPoint(r.left + r.width * x, r.top + r.height * y));
  const mine = (t) => t && (t === e || e.contains(t) || (t.contains(e) && !t.closest('.psa-bar')) || (t.matches('label') && t.contains(e)));
  if (!over.some(mine)) {
    const bar = over.some((t) => t?.closest('.psa-bar')) && !e.closest('.psa-bar');
    found.push({ rule: bar ? 'focus-behind-bar' : 'focus-not-visible', at: name, detail: `at ${Math.round(r.left)},${Math.round(r.top)} size ${Math.round(r.width)}x${Math.round(r.height)}` });
  }
  // 2.5.8: a link inside a sentence is exempt; a radio or box is as large as its label.
  const label = e.labels?.[0]?.getBoundingClientRect();
  const box = label && /radio|checkbox/.test(e.type) ? { width: Math.max(r.width, label.width), height: Math.max(r.height, label.height) } : r;
  if (css.display !== 'inline' && (box.width < 24 || box.height < 24)) found.push({ rule: 'target-size', at: name, detail: `${Math.round(box.width)}x${Math.round(box.height)} px` });
  if (!e.matches('[tabindex="-1"]') && (css.outlineStyle === 'none' || parseFloat(css.outlineWidth) < 2)) found.push({ rule: 'focus-ring', at: name, detail: `outline ${css.outline}` });
  const key = name + Math.round(r.left + scrollX) + ',' + Math.round(r.top + scrollY);
  return { key, found };
}
