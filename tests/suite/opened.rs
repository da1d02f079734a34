//! The contact sheet in a real browser: no word on its console, and search, filters, keys and the large view work.
//!
//! Owns: driving headless Chromium, where there is one (`CHROMIUM` names it, else it is looked for).
//! Leaves to others: what stands in the page (`contact_sheet`).
//! A newcomer gets wrong: the page forbids every script but its own, so what drives it is put into a copy of the page
//! without that policy; the page as it is written is opened, too, for what its console says.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::harness::Harness;

/// Does what a person would, and writes what was there after each step.
const DRIVE: &str = r#"<script>
addEventListener('load', () => {
  const $ = (selector) => document.querySelector(selector), said = {};
  const rows = () => [...document.querySelectorAll('.rows li')].filter((row) => row.checkVisibility()).length;
  const pill = (filter) => $(`[data-f="${filter}"] b`).textContent;
  const key = (key, at = document.activeElement) => at.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
  said.all = [rows(), pill('all'), pill('replaced'), pill('care')];
  key('/');
  said.searching = document.activeElement.id;
  $('#q').value = 'ADÁ';
  $('#q').dispatchEvent(new Event('input'));
  said.found = [rows(), pill('all'), pill('replaced'), pill('care'), $('.count').textContent];
  key('Escape');
  said.cleared = [rows(), $('#q').value];
  $('[data-f=care]').click();
  said.care = [rows(), $('[data-f=care]').getAttribute('aria-pressed')];
  $('#q').value = 'nobody at all';
  $('#q').dispatchEvent(new Event('input'));
  said.nobody = [rows(), $('.empty').checkVisibility()];
  key('Escape'); key('Escape'); key('Escape');
  key('j', document.body);
  said.first = document.activeElement.closest('li')?.textContent.includes('before');
  document.activeElement.click();
  said.large = [$('dialog').open, document.querySelectorAll('dialog .plate').length];
  const one = $('dialog .who').textContent;
  key('ArrowRight');
  said.turned = $('dialog .who').textContent !== one;
  $('dialog').close();
  said.closed = $('dialog').open;
  document.body.append(Object.assign(document.createElement('pre'), { textContent: 'said:' + JSON.stringify(said) + ':said' }));
});
</script>"#;

fn chromium() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("CHROMIUM") {
        return Some(PathBuf::from(named));
    }
    let places = ["chromium", "chromium-browser", "google-chrome"].map(|name| Path::new("/usr/bin").join(name));
    places.into_iter().find(|path| path.exists())
}

/// What the browser made of a page, and what it said meanwhile.
fn open(chromium: &Path, page: &Path) -> (String, String) {
    let home = tempfile::tempdir().expect("a home for the browser");
    let output = Command::new(chromium)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--enable-logging=stderr"])
        .args(["--virtual-time-budget=10000", "--window-size=1200,900", "--dump-dom"])
        .arg(format!("--user-data-dir={}", home.path().display()))
        .arg(format!("file://{}", page.display()))
        .env("HOME", home.path())
        .output()
        .expect("the browser starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn it_works_in_a_browser_without_a_word_on_its_console() {
    let Some(chromium) = chromium() else {
        println!("NOT TRIED: there is no Chromium here, and CHROMIUM names none; `.ci/run pages` has one");
        return;
    };
    let harness = Harness::with_people(&["ada", "grace", "alan"]);
    harness.plan_with(&[]).expect_exit(0);
    let page = harness.path("report/pictures.html");
    let (_, console) = open(&chromium, &page);
    assert!(!console.contains("CONSOLE"), "{console}");

    let text = std::fs::read_to_string(&page).expect("the page");
    let from = text.find("<meta http-equiv").expect("a policy");
    let to = from + text[from..].find('>').expect("its end") + 1;
    let driven = [&text[..from], &text[to..]].concat().replace("</body>", &format!("{DRIVE}</body>"));
    harness.write("driven.html", driven);
    let (dom, console) = open(&chromium, &harness.path("driven.html"));
    assert!(!console.contains("CONSOLE"), "{console}");
    let said = dom.split_once("said:{").and_then(|(_, behind)| behind.split_once("}:said<"));
    let (said, _) = said.unwrap_or_else(|| panic!("the page said nothing: {console}"));
    let said: Value = serde_json::from_str(&format!("{{{said}}}").replace("&amp;", "&")).expect("what was said");
    assert_eq!(
        said,
        json!({
            "all": [4, "4", "3", "1"],
            "searching": "q",
            "found": [1, "1", "1", "0", "1 of 4 shown"],
            "cleared": [4, ""],
            "care": [1, "true"],
            "nobody": [0, true],
            "first": true,
            "large": [true, 2],
            "turned": true,
            "closed": false,
        })
    );
}
