// What changed on the servers, as long as they are there.
(async () => {
  const live = document.querySelector('#live'), told = new Map();
  const places = new Map([...document.querySelectorAll('[data-piece]')].map((at) => [at.dataset.piece, at]));
  const rows = new Map([...document.querySelectorAll('.rows li')].map((at) => [at.dataset.k, at]));
  const made = document.createElement('template');
  const say = (on, words) => { live.classList.toggle('on', on); if (live.textContent !== words) live.textContent = words; };
  const pause = (ms) => new Promise((resume) => setTimeout(resume, ms));
  let at = live.dataset.at, seen = new Date();
  say(true, 'live');

  // A small world is loaded whole: when the run is over, nobody is there to give what was out of sight.
  const soon = (part) => { if (rows.size <= 500) for (const picture of part.querySelectorAll('img')) picture.loading = 'eager'; };
  function show(news) {
    for (const { key, html } of news.rows) {
      made.innerHTML = html;
      const fresh = made.content.firstElementChild;
      fresh.classList.add('fresh');
      soon(fresh);
      sheet.replace(rows.get(key), fresh);
      rows.set(key, fresh);
    }
    if (news.rows.length) sheet.recount();
    for (const [name, html] of Object.entries(news.pieces)) {
      if (told.get(name) !== html) places.get(name).innerHTML = html;
      told.set(name, html);
    }
  }

  // A picture that is not there any more when it is looked at.
  document.addEventListener('error', ({ target }) => { if (target.matches?.('.f img')) target.parentElement.classList.add('blank'); }, true);
  soon(document);
  for (;;) {
    try {
      const news = await (await fetch('/changes?since=' + at, { cache: 'no-store' })).json();
      if (news.reload) return location.reload();
      show(news);
      at = news.at;
      seen = new Date();
      if (!news.ended) { say(true, 'live'); continue; }
    } catch { /* told below */ }
    say(false, 'ended; as it stood at ' + seen.toLocaleTimeString('en-GB'));
    await pause(2000);
  }
})();
