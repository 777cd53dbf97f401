/* psa.js: small comforts. Optional: every page does its work without it, by normal form posts.
   Clean under require-trusted-types-for 'script': HTML is parsed by XMLHttpRequest (fetch would need DOMParser, which is
   a sink) and moved over as nodes. Words come from data attributes, translated by the host. */
(() => {
  const root = document.querySelector('.psa-root');
  if (!root) return;
  root.dataset.psaJs = '1';
  const all = (sel, from = root) => [...from.querySelectorAll(sel)];
  const make = (tag, cls, more) => Object.assign(document.createElement(tag), { className: cls }, more);
  const say = (text) => all('[data-psa-live]').forEach((el) => { el.textContent = text; });
  const page = (method, url, body, done, id) => {
    const x = new XMLHttpRequest();
    x.open(method, url);
    x.responseType = 'document';
    x.setRequestHeader('X-Psa-Swap', id);
    if (body) x.setRequestHeader('Content-Type', 'application/x-www-form-urlencoded');
    x.onload = () => done(x.response, x); x.onerror = () => done(null, x);
    x.send(body);
  };

  /* Conditions of the form: they only hide, the server decides. */
  const value = (form, name) => {
    const named = [...form.elements].filter((el) => el.name === name), seen = named.filter((el) => el.type !== 'hidden');
    const on = seen.length ? seen : named;
    if (on.length === 1 && on[0].type === 'checkbox') return [String(on[0].checked)];
    return on.filter((el) => el.checked || !/^(radio|checkbox)$/.test(el.type)).map((el) => el.value);
  };
  const holds = (c, form) => {
    if (c.all) return c.all.every((x) => holds(x, form));
    if (c.any) return c.any.some((x) => holds(x, form));
    if (c.not) return !holds(c.not, form);
    const v = value(form, c.field), is = (x) => v.includes(String(x));
    return 'eq' in c ? is(c.eq) : 'in' in c ? c.in.some(is) : !('set' in c) || c.set === v.some((x) => x && x !== 'false');
  };
  const sync = (form) => {
    all('[data-when]', form).forEach((el) => { el.hidden = !holds(JSON.parse(el.dataset.when), form); });
    form.noValidate ||= all('[hidden] :invalid, [hidden]:invalid', form).length > 0; // the browser cannot point at a hidden field
  };

  const grow = {
    /* A typed secret can be looked at; a stored one is never in the page. */
    '[data-reveal]': (input) => {
      const b = make('button', 'psa-btn psa-btn-quiet psa-btn-small', { type: 'button', textContent: input.dataset.reveal });
      const show = (on) => { input.type = on ? 'text' : 'password'; b.setAttribute('aria-pressed', on); };
      const typed = () => { b.hidden = !input.value; if (b.hidden) show(false); };
      b.setAttribute('aria-controls', input.id);
      b.onclick = () => show(input.type === 'password');
      input.addEventListener('input', typed);
      input.form?.addEventListener('submit', () => show(false));
      input.after(b); typed();
    },
    /* A list field: one line each in the textarea becomes one input each; the textarea is what is sent. */
    'textarea[data-rows]': (area) => {
      const box = make('div', 'psa-rows'), id = area.id, label = all(`label[for="${id}"]`)[0]?.textContent.trim() || '';
      const keep = () => {
        const inputs = all('input', box);
        area.value = inputs.map((i) => i.value).filter(Boolean).join('\n');
        inputs.forEach((i, n) => { i.id = n ? '' : id; i.setAttribute('aria-label', `${label} ${n + 1}`); });
      };
      const row = (text, before) => {
        const line = make('div', 'psa-inline'), input = make('input', area.className, { value: text });
        const b = make('button', 'psa-btn psa-btn-small', { type: 'button', textContent: area.dataset.remove });
        ['aria-invalid', 'aria-describedby'].forEach((a) => { if (area.hasAttribute(a)) input.setAttribute(a, area.getAttribute(a)); });
        b.onclick = () => { if (box.children.length > 2) line.remove(); else input.value = ''; keep(); mark(area); all('input', box)[0].focus(); };
        line.append(input, b); before.before(line); keep();
        return input;
      };
      const add = make('button', 'psa-btn psa-btn-small', { type: 'button', textContent: area.dataset.rows });
      add.onclick = () => row('', add).focus();
      box.append(add); area.removeAttribute('id'); area.hidden = true; area.after(box);
      (area.value || '').split('\n').forEach((text) => row(text, add));
      box.addEventListener('input', keep);
    },
    /* Typing narrows what is listed down; Enter looks for the rest. */
    'input[data-find]': (find) => {
      const list = document.getElementById(find.dataset.find);
      find.oninput = find.onchange = (e) => {
        e.stopPropagation();
        all('option', list).forEach((o) => { o.hidden = !o.selected && !o.text.toLowerCase().includes(find.value.toLowerCase()); });
      };
      find.onkeydown = (e) => { if (e.key === 'Enter') { e.preventDefault(); all('button', find.parentElement)[0].click(); } };
    },
    /* A region that stays fresh while somebody looks and nobody works in it. */
    '[data-refresh]': (el) => {
      const tick = () => setTimeout(() => {
        if (!el.isConnected) return;
        if (document.hidden || el.contains(document.activeElement)) return tick();
        page('GET', location.href, null, (doc) => {
          const fresh = doc?.getElementById(el.id);
          if (fresh && fresh.innerHTML !== el.innerHTML) el.replaceChildren(...fresh.childNodes);
          if (!doc || fresh?.dataset.refresh) tick();
        }, el.id);
      }, Math.max(2, el.dataset.refresh) * 1000);
      el.setAttribute('aria-live', 'polite'); tick();
    },
  };
  const start = (from) => {
    for (const sel in grow) all(sel, from).concat(from.matches(sel) ? from : []).forEach(grow[sel]);
    all('form').filter((f) => all('[data-when]', f)[0]).forEach(sync);
    all('[data-psa-errors]', from)[0]?.focus();
  };
  const mark = (el) => { const f = el.form; if (!f) return; sync(f); if ('psaForm' in f.dataset) f.dataset.dirty = '1'; };

  ['input', 'change'].forEach((kind) => root.addEventListener(kind, (e) => mark(e.target)));
  addEventListener('beforeunload', (e) => { if (all('form[data-dirty]')[0]) e.preventDefault(); });
  addEventListener('pageshow', (e) => { if (e.persisted) all('form[data-sent]').forEach((f) => { delete f.dataset.sent; }); });
  root.addEventListener('submit', (e) => {
    const f = e.target;
    if (f.dataset.sent) return e.preventDefault(); // a double click sends once
    delete f.dataset.dirty; f.dataset.sent = '1';
    setTimeout(() => { delete f.dataset.sent; }, 8000); // the answer may be a download
  });

  root.addEventListener('click', async (e) => {
    const copy = e.target.closest('[data-copy]');
    if (copy) {
      const from = document.getElementById(copy.dataset.copy);
      try { await navigator.clipboard.writeText(from.value ?? from.textContent); say(copy.dataset.said || ''); } catch { from.select?.(); }
      return;
    }
    const b = e.target.closest('button[data-swap]'), form = b?.form, old = b && all(b.dataset.swap)[0];
    if (!form || !old) return;
    e.preventDefault();
    if (b.ariaDisabled === 'true') return;
    const busy = (on) => { b.ariaDisabled = on; old.ariaBusy = on; };
    const plain = () => { busy(false); delete b.dataset.swap; form.requestSubmit(b); };
    busy(true);
    const to = new URL(b.getAttribute('formaction') || form.action, location);
    page('POST', to, String(new URLSearchParams(new FormData(form, b))), (doc, x) => {
      const there = new URL(x.responseURL || location), errors = doc?.querySelector('.psa-root [data-psa-errors]');
      if (doc && ![to.pathname, location.pathname].includes(there.pathname)) { delete form.dataset.dirty; location.assign(there); return; }
      const fresh = errors ? null : doc?.querySelector(b.dataset.swap);
      if (errors) { root.replaceChildren(...doc.querySelector('.psa-root').childNodes); start(root); all('form[data-psa-form]').forEach((f) => { f.dataset.dirty = '1'; }); }
      else if (!fresh || x.status >= 500) plain();
      else { busy(false); old.replaceWith(fresh); start(fresh); fresh.tabIndex = -1; fresh.focus(); }
    }, b.dataset.swap.slice(1));
  });

  start(root);
})();
