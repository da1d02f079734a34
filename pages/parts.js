'use strict';
// Search, filters, keys and the large view, over the rows that stand in a page.
const sheet = (() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const fold = (text) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
  const number = (of) => of.toLocaleString('en');
  const root = document.documentElement;
  const search = $('#q'), count = $('.count'), empty = $('.empty'), dialog = $('dialog');
  const pills = all('.pills button').map((at) => ({ at, filter: at.dataset.f, number: $('b', at) }));

  // What a row is, for the filters: its section, and the words that it carries.
  const marked = (row) => { row.is = new Set(['all', row.group.id, ...(row.at.dataset.f ?? '').split(' ')]); row.text = null; };
  const groups = all('.group').map((at) => ({ at, id: at.id, head: $('h2 span', at), all: 0, here: 0 }));
  const chunks = [], rows = [], rowOf = new Map();
  for (const group of groups) {
    for (const at of all('.rows > ol', group.at)) {
      const chunk = { at, here: 0 };
      chunks.push(chunk);
      for (const each of at.children) {
        const row = { at: each, group, chunk, shown: true };
        marked(row);
        rows.push(row);
        rowOf.set(each, row);
        group.all++;
      }
    }
  }
  let chosen = 'all', shown = rows, current = -1, column = 0, reachable = null;

  // How high the rows out of sight are, which are not laid out: as high as one that is. Looked at seldom: to look is to
  // have the page laid out.
  let height = 71, columns = 1;
  function measure() {
    const box = shown[0]?.at.getBoundingClientRect();
    if (!box?.width) return;
    columns = root.classList.contains('sheet') ? Math.max(1, Math.floor(shown[0].chunk.at.clientWidth / box.width)) : 1;
    height = box.height + (columns > 1 ? 12 : 0);
    estimate();
  }
  function estimate() {
    for (const chunk of chunks) if (chunk.here) chunk.at.style.containIntrinsicBlockSize = Math.ceil(Math.ceil(chunk.here / columns) * height) + 'px';
  }

  // What the search finds is counted for every pill; the chosen pill says which of it is shown.
  function apply() {
    const words = fold(search.value).split(/\s+/).filter(Boolean);
    const counts = new Map(pills.map((pill) => [pill.filter, 0]));
    for (const part of [...groups, ...chunks]) part.here = 0;
    shown = [];
    for (const row of rows) {
      let found = true;
      if (words.length) {
        row.text ??= fold(row.at.textContent);
        found = words.every((word) => row.text.includes(word));
      }
      if (found) for (const filter of row.is) if (counts.has(filter)) counts.set(filter, counts.get(filter) + 1);
      const show = found && row.is.has(chosen);
      if (row.shown !== show) { row.at.hidden = !show; row.shown = show; }
      if (show) { shown.push(row); row.group.here++; row.chunk.here++; }
    }
    for (const pill of pills) {
      const found = counts.get(pill.filter);
      pill.number.textContent = number(found);
      pill.at.classList.toggle('none', found === 0);
      pill.at.setAttribute('aria-pressed', pill.filter === chosen);
    }
    for (const group of groups) {
      group.at.hidden = group.here === 0;
      group.head.textContent = group.here === group.all ? group.head.dataset.all : number(group.here) + ' of ' + group.head.dataset.all;
    }
    for (const chunk of chunks) chunk.at.hidden = chunk.here === 0;
    estimate();
    const narrowed = words.length > 0 || chosen !== 'all';
    count.textContent = narrowed ? number(shown.length) + ' of ' + number(rows.length) + ' shown' : count.dataset.all;
    empty.hidden = shown.length > 0 || rows.length === 0;
    current = -1;
    reach(shown[0]);
  }

  const button = (row) => { const own = all('.pair', row.at); return own[Math.min(column, own.length - 1)]; };
  // One row alone is reached by Tab, the others from there by j and k.
  function reach(row) {
    if (reachable) reachable.tabIndex = -1;
    reachable = row ? button(row) ?? null : null;
    if (reachable) reachable.tabIndex = 0;
  }
  function go(row) {
    reach(row);
    row.at.scrollIntoView({ block: 'nearest' });
    reachable?.focus({ preventScroll: true });
  }
  function move(by) {
    if (!shown.length) return;
    const at = shown.findIndex((row) => row.at.contains(document.activeElement));
    const from = at < 0 ? current : at;
    current = Math.max(0, Math.min(shown.length - 1, from < 0 ? 0 : from + by));
    go(shown[current]);
  }
  function across(by) {
    const own = all('.pair', document.activeElement.closest('li'));
    column = Math.max(0, Math.min(own.length - 1, own.indexOf(document.activeElement) + by));
    go(rowOf.get(document.activeElement.closest('li')));
  }

  function plate(frame) {
    const figure = document.createElement('figure'), caption = document.createElement('figcaption'), words = document.createElement('span');
    figure.className = 'plate';
    words.textContent = frame.title;
    caption.append(words);
    const picture = $('img', frame);
    if (picture) {
      const sizes = document.createElement('span');
      sizes.className = 'sizes';
      for (let size = 0; size < 2; size++) {
        const small = picture.cloneNode();
        small.alt = '';
        sizes.append(small);
      }
      caption.append(sizes);
    }
    figure.append(frame.cloneNode(true), caption);
    return figure;
  }
  function enlarge(row) {
    const pair = button(row), cell = pair.closest('.cell') ?? row.at;
    const own = row.at === cell ? [] : all('.own .f', row.at);
    const frames = [...own, ...all('.pair .f', cell)];
    const plates = $('.plates', dialog);
    plates.replaceChildren(...frames.map(plate));
    plates.dataset.n = frames.length;
    $('.who', dialog).replaceChildren(...$('.who', row.at).cloneNode(true).childNodes);
    for (const part of ['.why', '.at']) {
      $(part, dialog)?.replaceChildren(...all(part, cell).map((from) => {
        const words = document.createElement('div');
        words.append(...from.cloneNode(true).childNodes);
        return words;
      }));
    }
    current = shown.indexOf(row);
    $('.place', dialog).textContent = number(current + 1) + ' of ' + number(shown.length);
    $('.back', dialog).disabled = current <= 0;
    $('.next', dialog).disabled = current >= shown.length - 1;
    if (!dialog.open) dialog.showModal();
  }
  function turn(by) {
    const next = shown[current + by];
    if (next) enlarge(next);
  }
  // The filters stay in sight: what is moved to stands below them.
  const below = () => { root.style.scrollPaddingTop = (getComputedStyle($('.tools')).position === 'sticky' ? $('.tools').offsetHeight + 12 : 8) + 'px'; };

  // A row as it is now. Who was looking at it or had it under the keys keeps it.
  function replace(old, fresh) {
    const row = rowOf.get(old);
    if (!row) return;
    const focused = old.contains(document.activeElement);
    rowOf.delete(old);
    rowOf.set(fresh, row);
    row.at = fresh;
    fresh.hidden = !row.shown;
    old.replaceWith(fresh);
    marked(row);
    if (reachable && old.contains(reachable)) reach(row);
    if (focused) go(row);
    if (dialog.open && shown[current] === row) enlarge(row);
  }
  // Counts again, and leaves everybody where they are.
  function recount() {
    const kept = shown[current], own = reachable;
    apply();
    current = kept ? shown.indexOf(kept) : -1;
    if (own?.isConnected && !own.closest('[hidden]')) { reachable.tabIndex = -1; reachable = own; own.tabIndex = 0; }
  }

  search.addEventListener('input', apply);
  for (const pill of pills) pill.at.addEventListener('click', () => {
    chosen = chosen === pill.filter ? 'all' : pill.filter;
    apply();
  });
  const views = all('.view button');
  for (const view of views) view.addEventListener('click', () => {
    root.classList.toggle('sheet', view.dataset.v === 'sheet');
    for (const each of views) each.setAttribute('aria-pressed', each === view);
    measure();
  });
  addEventListener('resize', () => { below(); measure(); });
  document.addEventListener('click', (event) => {
    const show = event.target.closest('[data-show]');
    if (show) {
      chosen = show.dataset.show;
      apply();
      $('.tools').scrollIntoView();
      return;
    }
    const pair = event.target.closest('.rows .pair');
    if (pair) {
      const row = rowOf.get(pair.closest('li'));
      column = all('.pair', row.at).indexOf(pair);
      enlarge(row);
    } else if (event.target === dialog || event.target.closest('.close')) dialog.close();
    else if (event.target.closest('.back')) turn(-1);
    else if (event.target.closest('.next')) turn(1);
  });
  dialog.addEventListener('close', () => { if (shown[current]) go(shown[current]); });
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target === search, key = event.key, inside = Boolean(event.target.closest?.('.rows'));
    if (dialog.open) {
      if (key === 'ArrowLeft' || key === 'k') turn(-1);
      else if (key === 'ArrowRight' || key === 'j') turn(1);
      return;
    }
    if (key === '/' && !typing) { search.focus(); search.select(); }
    else if (key === 'Escape' && typing && search.value) { search.value = ''; apply(); }
    else if (key === 'Escape' && typing) search.blur();
    else if (key === 'Escape' && chosen !== 'all') { chosen = 'all'; apply(); }
    else if ((key === 'j' && !typing) || (key === 'ArrowDown' && (typing || inside))) move(1);
    else if ((key === 'k' && !typing) || (key === 'ArrowUp' && inside)) move(-1);
    else if (key === 'ArrowRight' && inside) across(1);
    else if (key === 'ArrowLeft' && inside) across(-1);
    else return;
    event.preventDefault();
  });
  below();
  apply();
  measure();
  // The first letter of a search then waits for nothing.
  (window.requestIdleCallback ?? setTimeout)(function more(deadline) {
    for (const row of rows) {
      if (deadline?.timeRemaining && deadline.timeRemaining() < 2) return void requestIdleCallback(more);
      row.text ??= fold(row.at.textContent);
    }
  });
  return { replace, recount };
})();
