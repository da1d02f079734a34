(() => {
  'use strict';
  const $ = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const fold = (text) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
  const root = document.documentElement;
  const groups = all('.group').map((at) => ({ at, head: $('h2 span', at), rows: all('.rows li', at) }));
  const chunks = all('.rows > ol');
  const rows = groups.flatMap((group) => group.rows.map((at) => ({ at, kind: group.at.id, target: at.dataset.t, care: at.dataset.n === '1', text: null })));
  const search = $('#q'), pills = all('.pills button'), count = $('.count'), empty = $('.empty'), dialog = $('dialog');
  let chosen = 'all', shown = rows, current = -1;

  const fits = (row, filter) => filter === 'all' || (filter === 'care' ? row.care : filter === row.kind || filter === 't:' + row.target);

  // How high the rows out of sight are, which are not laid out.
  function estimate() {
    const wide = root.clientWidth, sheet = root.classList.contains('sheet');
    const columns = sheet ? Math.max(1, Math.floor(Math.min(wide, 1560) / 224)) : 1, height = sheet ? 236 : wide > 1000 ? 71 : 112;
    for (const chunk of chunks) {
      if (!chunk.hidden) chunk.style.containIntrinsicSize = Math.ceil([...chunk.children].filter((row) => !row.hidden).length / columns) * height + 'px';
    }
  }

  // What the search finds is counted for every pill; the chosen pill says which of it is shown.
  function apply() {
    const words = fold(search.value).split(/\s+/).filter(Boolean);
    const counts = new Map(pills.map((pill) => [pill.dataset.f, 0]));
    shown = [];
    for (const row of rows) {
      let found = true;
      if (words.length) {
        row.text ??= fold(row.at.textContent);
        found = words.every((word) => row.text.includes(word));
      }
      if (found) for (const filter of counts.keys()) if (fits(row, filter)) counts.set(filter, counts.get(filter) + 1);
      const show = found && fits(row, chosen);
      if (row.at.hidden === show) row.at.hidden = !show;
      if (show) shown.push(row);
    }
    for (const pill of pills) {
      const number = counts.get(pill.dataset.f);
      $('b', pill).textContent = number.toLocaleString('en');
      pill.classList.toggle('none', number === 0);
      pill.setAttribute('aria-pressed', pill.dataset.f === chosen);
    }
    for (const group of groups) {
      const here = group.rows.reduce((sum, row) => sum + !row.hidden, 0);
      group.at.hidden = here === 0;
      group.head.textContent = here === group.rows.length ? group.head.dataset.all : here.toLocaleString('en') + ' of ' + group.head.dataset.all;
    }
    for (const chunk of chunks) chunk.hidden = ![...chunk.children].some((row) => !row.hidden);
    estimate();
    const narrowed = words.length > 0 || chosen !== 'all';
    count.textContent = narrowed ? shown.length.toLocaleString('en') + ' of ' + rows.length.toLocaleString('en') + ' shown' : count.dataset.all;
    empty.hidden = shown.length > 0 || rows.length === 0;
    current = -1;
  }

  const button = (row) => $('.pair', row.at);
  function move(by) {
    if (!shown.length) return;
    const at = shown.findIndex((row) => row.at.contains(document.activeElement));
    current = Math.max(0, Math.min(shown.length - 1, (at < 0 ? current : at) + by));
    if (at < 0 && current < 0) current = 0;
    button(shown[current]).focus({ preventScroll: true });
    shown[current].at.scrollIntoView({ block: 'nearest' });
  }

  function enlarge(row) {
    const plates = $('.plates', dialog);
    plates.replaceChildren();
    all('.f', row.at).forEach((frame, nth, frames) => {
      const figure = document.createElement('figure'), caption = document.createElement('figcaption'), words = document.createElement('span');
      figure.className = 'plate';
      words.textContent = (frames.length < 2 ? 'stays: ' : nth ? 'after: ' : 'before: ') + frame.title;
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
      plates.append(figure);
    });
    for (const part of ['.who', '.why', '.at']) $(part, dialog).replaceChildren(...$(part, row.at).cloneNode(true).childNodes);
    $('.place', dialog).textContent = (shown.indexOf(row) + 1).toLocaleString('en') + ' of ' + shown.length.toLocaleString('en');
    current = shown.indexOf(row);
    if (!dialog.open) dialog.showModal();
  }
  function turn(by) {
    const next = shown[current + by];
    if (next) enlarge(next);
  }

  search.addEventListener('input', apply);
  for (const pill of pills) pill.addEventListener('click', () => {
    chosen = chosen === pill.dataset.f ? 'all' : pill.dataset.f;
    apply();
  });
  const views = all('.view button');
  for (const view of views) view.addEventListener('click', () => {
    root.classList.toggle('sheet', view.dataset.v === 'sheet');
    for (const each of views) each.setAttribute('aria-pressed', each === view);
    estimate();
  });
  document.addEventListener('click', (event) => {
    const pair = event.target.closest('.rows .pair');
    if (pair) enlarge(rows.find((row) => row.at.contains(pair)));
    else if (event.target === dialog || event.target.closest('.close')) dialog.close();
    else if (event.target.closest('.back')) turn(-1);
    else if (event.target.closest('.next')) turn(1);
  });
  dialog.addEventListener('close', () => { if (shown[current]) button(shown[current]).focus(); });
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target === search, key = event.key;
    if (dialog.open) {
      if (key === 'ArrowLeft' || key === 'k') turn(-1);
      else if (key === 'ArrowRight' || key === 'j') turn(1);
      return;
    }
    if (key === '/' && !typing) { search.focus(); search.select(); }
    else if (key === 'Escape' && typing && search.value) { search.value = ''; apply(); }
    else if (key === 'Escape' && typing) search.blur();
    else if (key === 'Escape' && chosen !== 'all') { chosen = 'all'; apply(); }
    else if ((key === 'j' && !typing) || (key === 'ArrowDown' && (typing || event.target.closest('.rows')))) move(1);
    else if ((key === 'k' && !typing) || (key === 'ArrowUp' && event.target.closest('.rows'))) move(-1);
    else return;
    event.preventDefault();
  });
  apply();
})();
