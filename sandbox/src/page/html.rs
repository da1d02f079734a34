//! The HTML of the page.
//!
//! Owns: what stands where.
//! Leaves to others: the look (`page.css`), filters (`query`), pictures (`picture_cache`).
//! A newcomer gets wrong: the person beside an account is this page's own guess, by e-mail address or user name alone;
//! it shows two where there are two, and knows nothing of how avatarpipe matches.

use std::fmt::Write as _;

use super::picture_cache::digest_of;
use super::query::{Filter, PageQuery};
use crate::server_state::ServerState;
use crate::truth::{Account, Person, Shown, ShownKind, Truth};

const STYLE: &str = include_str!("page.css");
/// Pictures beyond this are not given to the browser to decode.
const MOST_PIXELS: u64 = 50_000_000;

pub(super) struct Page<'a> {
    pub(super) server: &'a ServerState,
    pub(super) truth: &'a Truth,
    pub(super) query: &'a PageQuery,
}

impl Page<'_> {
    pub(super) fn html(&self) -> String {
        let mut out = String::new();
        let world = escape(&self.server.world);
        let _ = write!(
            out,
            "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{world} · sandbox</title>\
             <style>{STYLE}</style></head><body>"
        );
        self.header(&mut out);
        out.push_str("<main>");
        for violation in &self.truth.violations {
            let _ = write!(out, "<p class=\"broken\">Broken rule: {}</p>", escape(violation));
        }
        out.push_str("<div class=\"products\">");
        for simulator in &self.server.simulators {
            self.accounts(&mut out, simulator.name(), &simulator.title());
        }
        out.push_str("</div>");
        for simulator in &self.server.simulators {
            self.people(&mut out, simulator.name(), &simulator.title());
        }
        self.requests(&mut out);
        self.settings(&mut out);
        out.push_str("</main><footer>Simulated on this machine; names and secrets are invented. ");
        out.push_str("The person beside an account is found by e-mail address or user name.</footer></body></html>");
        out
    }

    fn header(&self, out: &mut String) {
        let _ = write!(
            out,
            "<header><div><h1>{}</h1><p>{}</p><nav>",
            escape(&self.server.world),
            escape(&self.server.about)
        );
        for (filter, word, label) in Filter::ALL {
            let count = self.truth.accounts.iter().filter(|a| filter.takes(a)).count();
            let current = if filter == self.query.show { " aria-current=\"page\"" } else { "" };
            let q = encode(&self.query.q);
            let _ = write!(out, "<a href=\"/?show={word}&amp;q={q}\"{current}>{label}<span>{count}</span></a>");
        }
        let word = Filter::ALL.iter().find(|f| f.0 == self.query.show).map_or("all", |f| f.1);
        let _ = write!(
            out,
            "<form><input type=\"hidden\" name=\"show\" value=\"{word}\"><input name=\"q\" type=\"search\" \
             placeholder=\"Name, key or e-mail\" aria-label=\"Search\" value=\"{}\"></form></nav></div></header>",
            escape(&self.query.q)
        );
    }

    fn accounts(&self, out: &mut String, simulator: &str, title: &str) {
        let all: Vec<&Account> = self.truth.accounts.iter().filter(|a| a.simulator == simulator).collect();
        if all.is_empty() {
            return;
        }
        let changed = all.iter().filter(|a| a.changed()).count();
        let base = self.server.shared.addresses.get().and_then(|a| a.get(simulator)).map_or("", String::as_str);
        let _ = write!(
            out,
            "<section><h2>{}</h2><p>{} accounts, {changed} changed since the beginning</p><p><code>{}</code></p>\
             <div class=\"grid\">",
            escape(title),
            all.len(),
            escape(base)
        );
        let mail = |a: &Account| a.email.clone().unwrap_or_default();
        let mut shown: Vec<&Account> = all.into_iter().filter(|a| self.query.show.takes(a)).collect();
        shown.retain(|a| self.query.finds(&[&a.display_name, &a.name, &a.key, &mail(a)]));
        shown.sort_by_key(|a| a.display_name.to_lowercase());
        shown.iter().for_each(|account| self.account(out, account));
        out.push_str("</div>");
        if shown.is_empty() {
            out.push_str("<p>No account fits.</p>");
        }
        out.push_str("</section>");
    }

    fn account(&self, out: &mut String, account: &Account) {
        let mut classes = Vec::new();
        classes.extend(account.changed().then_some("changed"));
        classes.extend((!account.active).then_some("off"));
        let _ = write!(
            out,
            "<article class=\"{}\"><div class=\"names\"><b>{}</b>{}<code>{}</code></div><div class=\"mail\">{}</div>\
             <div class=\"pictures\">",
            classes.join(" "),
            escape(&account.display_name),
            if account.active { "" } else { "<span class=\"tag\">inactive</span>" },
            escape(&if account.key == account.name {
                account.name.clone()
            } else {
                format!("{} · {}", account.name, account.key)
            }),
            account.email.as_deref().map_or_else(|| "no e-mail address".to_owned(), escape)
        );
        let people: Vec<&Person> = self.truth.people.iter().filter(|p| belongs(p, account)).collect();
        match people.as_slice() {
            [] => out.push_str("<figure><i>nobody</i><figcaption><b>Directory</b></figcaption></figure>"),
            [person] => figure(out, "", &photo_of(person), "Directory", self.describe(person)),
            several => {
                let names: Vec<&str> = several.iter().map(|p| p.display_name.as_str()).collect();
                let names = escape(&names.join(", "));
                let _ = write!(
                    out,
                    "<figure><i>{} people</i><figcaption><b>Directory</b>{names}</figcaption></figure>",
                    several.len()
                );
            }
        }
        figure(out, "round", &shown_picture(&account.start), "At first", state(account, &account.start));
        out.push_str("<div class=\"arrow\">→</div>");
        figure(out, "round now", &shown_picture(&account.now), "Now", state(account, &account.now));
        out.push_str("</div></article>");
    }

    fn describe(&self, person: &Person) -> String {
        match (person.enabled, person.kind.as_str(), &person.photo) {
            (false, ..) => "disabled".into(),
            (_, kind, Some(_)) if !kind.eq_ignore_ascii_case("member") && !kind.is_empty() => kind.to_lowercase(),
            (.., Some(_)) => "photo".into(),
            (.., None) => "none".into(),
        }
    }

    fn people(&self, out: &mut String, simulator: &str, title: &str) {
        let all: Vec<&Person> = self.truth.people.iter().filter(|p| p.simulator == simulator).collect();
        if all.is_empty() {
            return;
        }
        let photos = all.iter().filter(|p| p.photo.is_some()).count();
        let _ = write!(
            out,
            "<h2>{}</h2><p>{} people, {photos} with a photo</p><div class=\"grid people\">",
            escape(title),
            all.len()
        );
        let mut shown = all;
        shown.retain(|p| self.query.finds(&[&p.display_name, &p.user_name, &p.id, &p.emails.join(" ")]));
        shown.sort_by_key(|p| p.display_name.to_lowercase());
        for person in shown {
            let tags = [(!person.enabled).then_some("disabled"), (person.kind == "Guest").then_some("guest")];
            let tags: String = tags.iter().flatten().map(|t| format!("<span class=\"tag\">{t}</span>")).collect();
            let off = if person.enabled { "" } else { " off" };
            let _ = write!(out, "<article class=\"person{off}\">");
            figure(out, "", &photo_of(person), "", String::new());
            let _ = write!(
                out,
                "<div><div class=\"names\"><b>{}</b>{tags}</div><div class=\"mail\">{}</div></div></article>",
                escape(&person.display_name),
                escape(&person.user_name)
            );
        }
        out.push_str("</div>");
    }

    fn requests(&self, out: &mut String) {
        let counts = self.server.shared.requests.counts();
        let total: u64 = counts.values().map(|c| c.requests).sum();
        let _ = write!(
            out,
            "<details><summary>{total} requests, {} writes</summary><table><tr><th>Endpoint<th class=\"n\">Requests\
             <th class=\"n\">Parts<th class=\"n\">Units<th class=\"n\">Throttled</tr>",
            self.truth.writes.len()
        );
        for (endpoint, count) in counts {
            let _ = write!(
                out,
                "<tr><td><code>{}</code><td class=\"n\">{}<td class=\"n\">{}<td class=\"n\">{}<td class=\"n\">{}</tr>",
                escape(&endpoint),
                count.requests,
                count.parts,
                count.units,
                count.throttled
            );
        }
        out.push_str("</table></details>");
    }

    /// The faults that are dialled in, and every switch with how it stands.
    fn settings(&self, out: &mut String) {
        let faults = self.server.shared.faults.all();
        let _ = write!(
            out,
            "<details><summary>Faults ({}) and switches</summary><table><tr><th>Simulator<th>Switch<th>Stands on\
             <th>What is open</tr>",
            faults.len()
        );
        for dialled in faults {
            let on = serde_json::to_string(&dialled.fault).unwrap_or_default();
            let struck = format!("struck {} of {}", dialled.struck, dialled.matched);
            let _ = write!(out, "<tr><td>fault {}<td colspan=\"2\">{struck}<td><code>", dialled.number);
            let _ = write!(out, "{}</code></tr>", escape(&on));
        }
        for (simulator, switch, value) in self.server.shared.switches.all() {
            let value = escape(&value);
            let value = if value == switch.default { value } else { format!("<b>{value}</b>") };
            let (simulator, about) = (escape(&simulator), escape(switch.about));
            let _ = write!(out, "<tr><td>{simulator}<td><code>{}</code><td>{value}<td>{about}</tr>", switch.name);
        }
        out.push_str("</table></details>");
    }
}

/// What a figure holds: a picture by its digest, or words.
enum FigureContent {
    Picture(String),
    Words(String),
}

fn figure(out: &mut String, class: &str, observed: &FigureContent, title: &str, below: String) {
    let _ = write!(out, "<figure class=\"{class}\">");
    let _ = match observed {
        FigureContent::Picture(digest) => write!(out, "<img src=\"/picture/{digest}\" alt=\"\" loading=\"lazy\">"),
        FigureContent::Words(words) => write!(out, "<i>{}</i>", escape(words)),
    };
    if !title.is_empty() {
        let _ = write!(out, "<figcaption><b>{title}</b>{}</figcaption>", escape(&below));
    }
    out.push_str("</figure>");
}

fn shown_picture(shown: &Shown) -> FigureContent {
    FigureContent::Picture(digest_of(&shown.bytes))
}

fn photo_of(person: &Person) -> FigureContent {
    let Some((bytes, _)) = &person.photo else {
        return FigureContent::Words(person.instead.clone().unwrap_or_else(|| "none".into()).replace('_', " "));
    };
    let reader = image::ImageReader::new(std::io::Cursor::new(bytes)).with_guessed_format().ok();
    match reader.and_then(|r| r.into_dimensions().ok()) {
        Some((w, h)) if u64::from(w) * u64::from(h) <= MOST_PIXELS => FigureContent::Picture(digest_of(bytes)),
        Some((w, h)) => FigureContent::Words(format!("{w} × {h}")),
        None => FigureContent::Words("not a picture".into()),
    }
}

/// What kind of picture it is; a custom one of somebody else is named with its owner, for that must never be.
fn state(account: &Account, shown: &Shown) -> String {
    match shown.kind {
        ShownKind::Custom if shown.owner != account.key => format!("custom {} of {}!", shown.id, shown.owner),
        ShownKind::Custom => format!("custom {}", shown.id),
        ShownKind::System => format!("system {}", shown.id),
        ShownKind::Default => "default".to_owned(),
    }
}

fn belongs(person: &Person, account: &Account) -> bool {
    let local = person.user_name.split('@').next().unwrap_or_default();
    match &account.email {
        Some(email) => person.emails.iter().any(|e| e.eq_ignore_ascii_case(email)),
        None => local.eq_ignore_ascii_case(&account.name),
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

fn encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
