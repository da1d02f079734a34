//! Entries of `users` that fit nobody: which of them are probably slips, and whom they mean.
//!
//! Owns: who is called nearly so, what is said of each entry, how many are told.
//! Leaves to others: which entries fit nobody (`extract`), the exit code (`run_report`).
//! A newcomer gets wrong: an entry of somebody who left fits nobody either, and is no fault. What tells a slip is somebody who is
//! there and called nearly so (docs/guide/privacy.md, "Staying out").

use super::context::RunContext;
use super::pages::{PAGE, each_page};
use super::source_run::SourceRun;
use crate::error::Trouble;
use crate::extract::Unmet;
use crate::model::{Person, normalise_widely};
use crate::nearest::edits;

/// Entries told of one list; a list with more has one cause.
const TOLD: usize = 10;

/// What entries that fit nobody come to.
#[derive(Debug, Default)]
pub(super) struct Slips {
    /// Each on its line, those that are probably slips first.
    pub notes: Vec<String>,
    /// How many of all are probably slips: what was asked for was not done.
    pub probable: u64,
}

/// Of every source that was listed.
pub(super) fn slips(context: &RunContext, source_runs: &[SourceRun]) -> Result<Slips, Trouble> {
    let mut slips = Slips::default();
    for source_run in source_runs.iter().filter(|source_run| !source_run.unmet.is_empty()) {
        let mut entries: Vec<Entry<'_>> = source_run.unmet.iter().map(Entry::new).collect();
        let id = source_run.id();
        for page in each_page(|after| context.facts.people(id, after, PAGE), |last| last.id.clone()) {
            for person in page? {
                entries.iter_mut().for_each(|entry| entry.see(&person));
            }
        }
        // An undoing has another errand.
        slips.probable += entries.iter().filter(|entry| entry.meant.is_some() && !context.is_undo()).count() as u64;
        entries.sort_by_key(|entry| entry.meant.is_none());
        let mut keys: Vec<&str> = source_run.unmet.iter().map(|unmet| unmet.key).collect();
        keys.dedup();
        for key in keys {
            let of_list: Vec<_> = entries.iter().filter(|entry| entry.unmet.key == key).collect();
            let told =
                of_list.iter().take(TOLD).map(|entry| format!("{}: {} ({id})", entry.unmet.place, entry.words()));
            slips.notes.extend(told);
            if let Some(last) = of_list.get(TOLD..).and_then(<[_]>::last) {
                let more = of_list.len() - TOLD;
                slips
                    .notes
                    .push(format!("{}: {more} more entries of `users.{key}` fit nobody ({id})", last.unmet.place));
            }
        }
    }
    Ok(slips)
}

/// An entry, and who is probably meant by it.
struct Entry<'a> {
    unmet: &'a Unmet,
    /// As it is compared; nothing where it is no pattern, or one that says too little.
    pattern: Option<String>,
    meant: Option<MeantSo>,
}

/// Why somebody is probably meant, the surest first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum MeantSo {
    /// It is what the directory displays.
    Displayed(String),
    /// So many edits away.
    Near(usize, String),
}

impl<'a> Entry<'a> {
    fn new(unmet: &'a Unmet) -> Self {
        Self { unmet, pattern: unmet.pattern.as_deref().map(normalise_widely), meant: None }
    }

    fn see(&mut self, person: &Person) {
        let Some(pattern) = &self.pattern else { return };
        let names = person.keys().iter().map(|(_, name)| name);
        let mut found: Vec<MeantSo> = names
            .filter_map(|name| Some(MeantSo::Near(apart(pattern, &normalise_widely(name))?, name.clone())))
            .collect();
        if normalise_widely(&person.display_name) == *pattern {
            // The address is what would have been right.
            let address = person.keys().iter().map(|(_, name)| name).find(|name| name.contains('@'));
            found.push(MeantSo::Displayed(address.unwrap_or(&person.display_name).clone()));
        }
        self.meant = found.into_iter().chain(self.meant.take()).min();
    }

    fn words(&self) -> String {
        let words = &self.unmet.words;
        match &self.meant {
            None => words.clone(),
            Some(MeantSo::Displayed(address)) => format!(
                "{words}: it is a display name, and patterns are compared with e-mail, user name and UPN: write `{address}`"
            ),
            Some(MeantSo::Near(_, name)) => {
                format!(
                    "{words}; near it is `{name}`: write that if it is meant, and take the entry out if its person left"
                )
            }
        }
    }
}

/// Signs that stand for others.
const SIGNS: [char; 7] = ['*', '?', '[', ']', '{', '}', '\\'];

/// How many edits lie between an entry and a name, if the one may stand for the other. Of an address both halves have to be near;
/// a half with signs of patterns says nothing.
pub(super) fn apart(pattern: &str, name: &str) -> Option<usize> {
    let whole = |text: &str| !text.contains(SIGNS);
    let half = |written: &str, other: &str| match whole(written) {
        true => edits(written, other),
        false => Some(0),
    };
    match (pattern.rsplit_once('@'), name.rsplit_once('@')) {
        (Some((local, domain)), Some((other, of))) if whole(local) || whole(domain) => {
            Some(half(local, other)? + half(domain, of)?)
        }
        (None, None) if whole(pattern) => edits(pattern, name),
        // The half before the sign alone.
        (None, Some((other, _))) if whole(pattern) && pattern == other => Some(0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::apart;

    #[test]
    fn a_slip_is_near_somebody_and_another_persons_address_is_not() {
        for (pattern, name, near) in [
            ("adda@*", "ada@contoso.example", true),
            ("adda@contoso.example", "ada@contoso.example", true),
            ("ada@contso.example", "ada@contoso.example", true),
            ("*@contso.example", "ada@contoso.example", true),
            ("ada", "ada@contoso.example", true),
            ("svc-avatrs", "svc-avatars", true),
            ("bob@contoso.example", "ada@contoso.example", false),
            ("ada@contoso.example", "ada@fabrikam.example", false),
            ("*@*", "ada@contoso.example", false),
            ("svc-*", "svc", false),
            ("left.long.ago@contoso.example", "ada@contoso.example", false),
        ] {
            assert_eq!(apart(pattern, name).is_some(), near, "{pattern} {name}");
        }
    }
}
