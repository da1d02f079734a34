//! The answer for people.
//!
//! Owns: the order of what is told, and the words. Leaves to others: what is known (`collect`).
//! A newcomer gets wrong: the account comes with its own decision and rule, since one person can have five accounts, and
//! each is decided about on its own.

use super::explanation::{
    AccountExplained, DecisionExplained, Explanation, MatchExplained, PersonExplained, PlacementExplained,
};
use super::not_read;
use crate::model::{Change, PersonResult, Reason};
use crate::report::{Page, PictureWords, Screen, change_in_words, short_digest};

/// As a page for this screen.
pub(crate) fn page(explanation: &Explanation, screen: Screen) -> Page {
    let mut telling = Telling { page: Page::on(screen), pictures: screen.pictures, explanation };
    for person in &explanation.people {
        telling.person(person);
    }
    for account in &explanation.accounts {
        telling.account(account, 0);
        telling.page.blank();
    }
    let mut page = telling.page;
    page.paragraph(0, 2, &format!("as the plan or run of {} learnt it; no request was made", explanation.as_of));
    if explanation.part {
        page.paragraph(0, 2, "it was of a part (`--only`, `--target`): nobody else was decided about");
    }
    if let Some(run) = &explanation.unfinished {
        let how = match explanation.under_way {
            Some(true) => "is under way",
            Some(false) => "did not end",
            None => "is under way, or was killed",
        };
        page.paragraph(0, 2, &format!("run {run} {how}: what is told may be half of it"));
    }
    page
}

/// What is told so far.
struct Telling<'a> {
    page: Page,
    pictures: PictureWords,
    explanation: &'a Explanation,
}

impl Telling<'_> {
    fn person(&mut self, person: &PersonExplained) {
        let PersonExplained { source, id, name, .. } = person;
        self.page.heading(
            0,
            &match person.listed {
                true => format!("{name}  ({source} {id})"),
                false => format!("{source} {id}  (not listed last time: as the state knows it)"),
            },
        );
        let standing = match person.standing.as_str() {
            "unknown" => "not known",
            "in_scope" => "in scope: `users` selects the person",
            "inactive" => "disabled at the provider",
            "opted_out" => "opted out",
            "frozen" => "frozen: the accounts keep what they show",
            _ => "out of scope: `users` does not select the person",
        };
        self.row("standing", standing);
        for (number, (key, value)) in person.keys.iter().filter(|(key, _)| key != "id").enumerate() {
            self.row(if number == 0 { "known as" } else { "" }, &format!("{key} {value}"));
        }
        self.photo(person);
        for target in &person.without_account {
            self.row(target, "no account there has a key of this person");
        }
        for target in &person.not_read {
            let known = self.explanation.not_read.iter().find(|one| one.kind == "target" && one.id == *target);
            self.row(target, &not_read::words(known.and_then(|one| one.why.as_deref())));
        }
        for account in &person.accounts {
            self.page.blank();
            self.account(account, 2);
        }
        self.page.blank();
    }

    fn photo(&mut self, person: &PersonExplained) {
        self.row("photo", &person.photo.found);
        if let Some(remembered) = &person.photo.remembered {
            self.row("", &format!("when a run last looked: {remembered}"));
        }
        if self.pictures == PictureWords::ByDigest {
            let digest = person.photo.digest.as_deref().map(|digest| format!("its digest: {}", short(digest)));
            let marker = person.photo.version.as_deref();
            let marker = marker.map(|it| format!("the provider's change marker when a run last looked: {it}"));
            [digest, marker].into_iter().flatten().for_each(|words| self.row("", &words));
        }
    }

    fn account(&mut self, account: &AccountExplained, indent: usize) {
        let email = account.email.as_deref().map(|email| format!(", {email}")).unwrap_or_default();
        let AccountExplained { target, name, id, display_name, .. } = account;
        self.page.heading(
            indent,
            &match account.listed {
                true => format!("{target}/{name}  ({id}; {display_name}{email})"),
                false => format!("{target}/{id}  (not listed last time: as the state knows it)"),
            },
        );
        let mut rows: Vec<(&str, String)> = Vec::new();
        if account.listed && account.standing != "active" {
            rows.push(("standing", account.standing.replace('_', " ")));
        }
        rows.extend(account.matched.iter().map(|one| ("match", self.match_words(one))));
        rows.extend(under("in common", account.keys_in_common.iter().cloned()));
        if account.listed {
            rows.push(("showed", self.shown(&account.showed)));
        }
        if let Some(placement) = &account.placement {
            rows.push(("ours", self.placed(&account.target, placement)));
        }
        for decision in &account.decisions {
            rows.push(("decided", self.decided(decision)));
            rows.push(("rule", if by_record(decision.reason) { BY_RECORD.to_owned() } else { decision.rule.clone() }));
            rows.extend(decision.error.iter().map(|error| ("failed", error.clone())));
        }
        let writes = account.writes.iter().map(|write| {
            let open = if write.open { " (open)" } else { "" };
            format!("{} in run {}: {}{open}", write.kind, write.run, write.ended)
        });
        rows.extend(under("written", writes));
        rows.push(("next run", account.next.clone()));
        rows.extend(account.advice.iter().map(|advice| ("to do", advice.clone())));
        rows.iter().for_each(|(label, words)| self.page.labelled(indent + 2, label, words));
    }

    fn row(&mut self, label: &str, words: &str) {
        self.page.labelled(2, label, words);
    }

    /// What an account shows, in words.
    fn shown(&self, picture: &str) -> String {
        let (words, mark) = match picture.split_once(':') {
            Some(("system", mark)) => ("a stock picture of the product", mark),
            Some(("foreign", mark)) => (NOT_KNOWN, mark),
            Some(("b3", _)) => ("our picture", short(picture)),
            _ => return picture.to_owned(),
        };
        self.with_mark(words, &format!(" (`{mark}`)"))
    }

    fn placed(&self, target: &str, placement: &PlacementExplained) -> String {
        let how = match (placement.provenance.as_str(), &placement.since) {
            ("made", Some(since)) => &format!("we put it there in the run of {since}"),
            ("made", None) => "we put it there",
            _ => "recognised as the photo; who put it there is not in this state",
        };
        let before = self.before(target, placement);
        format!(
            "{}; before it stood there: {before}",
            self.with_mark(how, &format!(" ({})", short(&placement.picture)))
        )
    }

    /// What stood there before our first write, in words.
    fn before(&self, target: &str, placement: &PlacementExplained) -> String {
        let name = placement.before.as_str();
        let words = match placement.before_was.as_str() {
            "default" => return "the default picture".to_owned(),
            "stock" => "the product's default or another stock picture of it",
            "upload" => "an uploaded picture that was not on record as ours",
            _ if name == "unknown" => return "a picture that is not known".to_owned(),
            _ => "a picture that was not on record as ours",
        };
        if name.is_empty() {
            words.to_owned()
        } else {
            self.with_mark(words, &format!(" ({target} calls it `{name}`)"))
        }
    }

    /// What a picture is called stands with `-v` alone: words say enough.
    fn with_mark(&self, words: &str, mark: &str) -> String {
        match self.pictures {
            PictureWords::ByDigest => format!("{words}{mark}"),
            PictureWords::InWords => words.to_owned(),
        }
    }

    fn match_words(&self, one: &MatchExplained) -> String {
        let detail = one.detail.as_deref().map(|detail| format!(": {detail}")).unwrap_or_default();
        match (one.verdict.as_str(), &one.person) {
            ("matched", Some(id)) => {
                let mut people = self.explanation.people.iter();
                let listed = people.find(|person| person.source == one.source && person.id == *id && person.listed);
                match listed {
                    Some(person) => format!("{}: belongs to {}{detail}", one.source, person.name),
                    None => format!("{}: belongs to {id}{detail}", one.source),
                }
            }
            ("ambiguous", _) => format!("{}: more than one candidate{detail}", one.source),
            ("conflict", _) => format!("{}: the keys contradict each other{detail}", one.source),
            ("unknown", _) => format!("{} {}", one.source, not_read::words(one.detail.as_deref())),
            _ => format!("{}: nobody has a key of this account{detail}", one.source),
        }
    }

    fn decided(&self, decision: &DecisionExplained) -> String {
        let DecisionExplained { change, from, to, reason, .. } = decision;
        let what = match self.pictures {
            _ if !change.writes() => change_words(*change).to_owned(),
            PictureWords::ByDigest => format!("{} {} → {}", change_words(*change), short(from), short(to)),
            PictureWords::InWords => {
                format!("{}, {}", change_words(*change), change_in_words(from, to, reason.word()))
            }
        };
        let result = match decision.result {
            None | Some(PersonResult::None) => "",
            Some(PersonResult::Planned) => ", planned",
            Some(PersonResult::Done) => ", done",
            Some(PersonResult::NotShown) => ", written, but not shown",
            Some(PersonResult::Failed) => ", failed",
            Some(PersonResult::Open) => ", open",
            Some(PersonResult::NotDone) => ", not begun",
        };
        let detail = decision.detail.as_deref().map(|detail| format!(": {detail}")).unwrap_or_default();
        format!("{what}{result}: {}{detail}", reason.text())
    }
}

/// What an account shows that is no stock picture and not on record as ours.
const NOT_KNOWN: &str =
    "an uploaded picture that is not in this state: put there by somebody, or by a run that this state has not seen";

const BY_RECORD: &str = "no line of the file: `undo` goes by what is on record of the run";

/// Whether a decision of `undo` went by no rule of the file.
fn by_record(reason: Reason) -> bool {
    use Reason::{UndoChanged, UndoDone, UndoGone, UndoLocked, UndoOther, Undone};
    matches!(reason, Undone | UndoOther | UndoDone | UndoChanged | UndoGone | UndoLocked)
}

/// A decision in the words of the tables.
fn change_words(change: Change) -> &'static str {
    match change {
        Change::Replace => "replace",
        Change::Revert => "revert",
        Change::Remove => "revert, since it must not stand there",
        Change::Finish => "mend: complete a write of an earlier run",
        Change::Tidy => "mend: take away what an earlier run left over",
        Change::Unchanged => "unchanged",
        Change::Keep => "left alone by a rule",
        Change::Conflict => "left alone, in conflict",
        Change::Skip => "left alone, not looked at",
    }
}

/// Rows of which the first alone has the label.
fn under(label: &str, words: impl Iterator<Item = String>) -> Vec<(&str, String)> {
    words.enumerate().map(|(nth, words)| (if nth == 0 { label } else { "" }, words)).collect()
}

/// A digest is cut to what an eye can compare.
fn short(picture: &str) -> &str {
    if picture.starts_with("b3:") { short_digest(picture) } else { picture }
}
