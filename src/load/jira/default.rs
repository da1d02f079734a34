//! Which picture is the instance's default: it differs per instance and is never written down in code
//! (docs/wire/atlassian.md §3.2).
//!
//! Owns: when it is asked for, and whom. Leaves to others: what follows from it (`model::Picture`).
//! A newcomer gets wrong: once most people have photos, hardly anybody shows the default. What was learnt is kept.

use std::collections::BTreeMap;

use crate::http::Failure;
use crate::model::{PictureRef, Shown};

use super::avatar::Selected;
use super::client::JiraClient;

/// The key of the learnt default.
pub(super) const DEFAULT: &str = "default";
/// Whether the nth account that shows a picture may be asked for the default: the first ones may all have uploads of their own, so
/// some from all over the listing can be asked, a few more than its length has bits.
fn may_be_asked(nth: u64) -> bool {
    nth <= 3 || nth.is_power_of_two()
}

/// Whom to ask for the default, and what the listing says that they show; a Gravatar says nothing of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Candidates {
    pub names: Vec<String>,
    pub mark: Option<PictureRef>,
}

/// How often each stock picture is shown, and by whom the default can be asked for.
#[derive(Debug, Default)]
pub(super) struct Stock {
    shown: BTreeMap<PictureRef, (u64, Vec<String>)>,
    gravatar: (u64, Vec<String>),
}

impl Stock {
    /// Counts what an account shows; `askable` is its name if it can be asked.
    pub(super) fn count(&mut self, shown: &Shown, askable: Option<&String>) {
        let (count, names) = match shown {
            Shown::System(mark) => self.shown.entry(mark.clone()).or_default(),
            Shown::Default => &mut self.gravatar,
            Shown::Custom(_) | Shown::Unknown(_) => return,
        };
        *count += 1;
        if let Some(name) = askable.filter(|_| may_be_asked(*count)) {
            names.push(name.clone());
        }
    }

    /// Whom to ask for the default; empty when what is remembered stands. Few show the default once most have photos,
    /// so a stock picture takes its place only when many show it. Of two that are shown as often nobody can tell which one
    /// people chose.
    pub(super) fn candidates(&self, remembered: Option<&PictureRef>, accounts: u64) -> Candidates {
        let most = self.shown.iter().max_by_key(|(_, (count, _))| *count);
        let of = |mark: &PictureRef, names: &[String]| Candidates { names: names.to_vec(), mark: Some(mark.clone()) };
        match (remembered, most) {
            // A Gravatar stands only where the default is selected: surer than any count.
            (None, _) if !self.gravatar.1.is_empty() => Candidates { names: self.gravatar.1.clone(), mark: None },
            (None, Some((mark, (count, names)))) => {
                let others = self.shown.iter().filter(|(other, _)| *other != mark);
                let second = others.map(|(_, (count, _))| *count).max().unwrap_or_default();
                if second < *count { of(mark, names) } else { Candidates::default() }
            }
            (_, None) => Candidates::default(),
            (Some(remembered), Some((mark, (count, names)))) => {
                let own = self.shown.get(remembered).map_or(0, |(count, _)| *count);
                let many = *count > own && *count >= 10 && *count * 20 >= accounts;
                if mark != remembered && many { of(mark, names) } else { Candidates::default() }
            }
        }
    }
}

/// Asks accounts until one that never had a picture tells: what is selected there is the default (§3.4). It has to be what the
/// listing shows there without an owner; a list that says otherwise is another user's, or a server's mistake.
pub(super) async fn ask_default(client: &JiraClient, candidates: &Candidates) -> Result<Option<PictureRef>, Failure> {
    for name in &candidates.names {
        let Ok(avatars) = client.avatars(name).await? else { continue };
        if let (Selected::System(mark), true) = (&avatars.selected, avatars.custom.is_empty())
            && candidates.mark.as_ref().is_none_or(|listed| listed == mark)
        {
            return Ok(Some(mark.clone()));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_remembered_default_yields_only_to_many() {
        let stock = |counts: &[(&str, u64)], gravatars: usize| {
            let mut stock = Stock::default();
            for (mark, count) in counts {
                for n in 0..*count {
                    stock.count(&Shown::System((*mark).into()), Some(&format!("{mark}-{n}")));
                }
            }
            for n in 0..gravatars {
                stock.count(&Shown::Default, Some(&format!("g-{n}")));
            }
            stock
        };
        let d = PictureRef::from("10122");
        let ask =
            |stock: Stock, remembered: Option<&PictureRef>| stock.candidates(remembered, 100).names.into_iter().next();
        assert_eq!(ask(stock(&[("10122", 5), ("10130", 2)], 0), None).as_deref(), Some("10122-0"));
        assert_eq!(ask(stock(&[("10122", 5)], 1), None).as_deref(), Some("g-0"));
        assert_eq!(ask(stock(&[("10122", 2), ("10130", 1)], 0), None).as_deref(), Some("10122-0"));
        assert_eq!(ask(stock(&[("10122", 1), ("10130", 1)], 0), None), None);
        assert_eq!(ask(stock(&[("10122", 2), ("10130", 2)], 1), None).as_deref(), Some("g-0"));
        assert_eq!(ask(stock(&[], 0), None), None);
        assert_eq!(ask(stock(&[("10122", 5)], 0), Some(&d)), None);
        assert_eq!(ask(stock(&[("10122", 1), ("10130", 3)], 0), Some(&d)), None);
        assert_eq!(ask(stock(&[("10122", 1), ("10130", 12)], 0), Some(&d)).as_deref(), Some("10130-0"));
        assert_eq!(ask(stock(&[("10130", 3)], 0), Some(&d)), None);
        let from_all_over = stock(&[("10122", 70)], 0).candidates(None, 100).names;
        let nth = [0, 1, 2, 3, 7, 15, 31, 63].map(|n| format!("10122-{n}"));
        assert_eq!(from_all_over, nth);
    }
}
