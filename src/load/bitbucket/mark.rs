//! What a picture is known by: the `v` of its URL, or, until a listing shows that, when it was sent.
//!
//! Owns: reading an avatar URL, and the stand-in mark of a picture whose `v` is not known yet.
//! Leaves to others: when a stand-in is replaced (`run`, by `Target::confirm`).
//! A newcomer gets wrong: the answer to an upload does not say its `v`. The next listing does, and only a `v` from the
//! time of our sending is ours.

use std::time::Duration;

use url::Url;

use crate::model::{PictureRef, Shown};

/// How far the clock behind `v` may be off the one that dated the answer, in seconds.
const CLOCKS: u64 = 120;
const STAND_IN: &str = "sent:";

/// Why nothing is known of a picture whose link has no version, where no link has one.
const NO_VERSION: &str = "the server shows no version of anybody's picture";

/// What an avatar URL says where no URL has a version: a local one says nothing.
pub(super) fn unseen(shown: Shown, avatar: Option<&str>, base: &Url) -> Shown {
    let local = |text: &str| base.join(text).is_ok_and(|url| url.path().ends_with("/avatar.png"));
    match shown {
        Shown::Default if avatar.is_some_and(local) => Shown::Unknown(NO_VERSION.to_owned()),
        shown => shown,
    }
}

/// What an avatar URL says.
pub(super) fn shown(avatar: Option<&str>, base: &Url) -> Shown {
    let Some(text) = avatar.filter(|text| !text.is_empty()) else {
        return Shown::Unknown("the server sent no avatar URL".into());
    };
    let Ok(url) = base.join(text) else { return Shown::Unknown("the server sent an avatar URL that is none".into()) };
    // Gravatar stands in where there is no local picture (docs/wire/atlassian.md §5); it has no `v` either.
    if !url.path().ends_with("/avatar.png") {
        return Shown::Default;
    }
    match url.query_pairs().find(|(name, _)| name == "v") {
        None => Shown::Default,
        Some((_, v)) if v.is_empty() => Shown::Unknown("its avatar URL has an empty version".into()),
        Some((_, v)) => Shown::Custom(PictureRef::new(v.into_owned())),
    }
}

/// When a picture was sent and answered, in Unix seconds, and what stood there before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub from: u64,
    pub to: u64,
    pub before: Option<PictureRef>,
}

impl Window {
    /// The time in which a write that nobody answered was done, if it was done: a slow server has until `quiet` is over.
    pub(super) fn of_sending(at: u64, quiet: Duration, stood: &Shown) -> Self {
        let before = match stood {
            Shown::Custom(v) => Some(v.clone()),
            Shown::Default | Shown::System(_) | Shown::Unknown(_) => None,
        };
        Self { from: at, to: at.saturating_add(quiet.as_secs()), before }
    }

    /// The stand-in mark.
    pub(super) fn mark(&self) -> PictureRef {
        let before = self.before.as_ref().map_or("", PictureRef::as_str);
        PictureRef::new(format!("{STAND_IN}{}-{}:{before}", self.from, self.to))
    }

    /// Reads a stand-in mark; `None` for a real one.
    pub(super) fn read(mark: &PictureRef) -> Option<Self> {
        let (times, before) = mark.as_str().strip_prefix(STAND_IN)?.split_once(':')?;
        let (from, to) = times.split_once('-')?;
        let before = (!before.is_empty()).then(|| PictureRef::from(before));
        Some(Self { from: from.parse().ok()?, to: to.parse().ok()?, before })
    }

    /// Whether a picture with this `v` is the one that was sent; `None` if its `v` is no time.
    pub(super) fn holds(&self, v: &PictureRef) -> Option<bool> {
        if self.before.as_ref() == Some(v) {
            return Some(false);
        }
        let seconds = v.as_str().parse::<u64>().ok()? / 1000;
        Some((self.from.saturating_sub(CLOCKS)..=self.to.saturating_add(CLOCKS)).contains(&seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_avatar_url_says_what_is_shown() {
        let base = Url::parse("https://git.ex.org/bitbucket/").unwrap();
        let custom = Shown::Custom("1655392225748".into());
        for (url, expected) in [
            ("/users/jdoe/avatar.png?s=64&v=1655392225748", custom.clone()),
            ("https://git.ex.org/bitbucket/users/jdoe/avatar.png?v=1655392225748&s=64", custom),
            ("/users/jdoe/avatar.png?s=64", Shown::Default),
            ("https://secure.gravatar.com/avatar/205e460b479e2e5b48aec07710c08d50.jpg?s=64&d=mm", Shown::Default),
        ] {
            assert_eq!(shown(Some(url), &base), expected, "{url}");
        }
        for url in [None, Some(""), Some("http://["), Some("/users/jdoe/avatar.png?v=")] {
            assert!(matches!(shown(url, &base), Shown::Unknown(_)), "{url:?}");
        }
    }

    #[test]
    fn a_stand_in_reads_back_what_it_writes() {
        for before in [None, Some(PictureRef::from("1655392225748"))] {
            let window = Window { from: 10, to: 20, before };
            assert_eq!(Window::read(&window.mark()), Some(window));
        }
        for real in ["1655392225748", "sent:", "sent:1-x:", "sent:1"] {
            assert_eq!(Window::read(&real.into()), None, "{real}");
        }
    }

    #[test]
    fn only_a_version_from_the_time_of_sending_is_ours() {
        let window = Window { from: 1000, to: 1010, before: Some("1005000".into()) };
        for (v, held) in [
            ("1005001", Some(true)),
            ("880000", Some(true)),
            ("879999", Some(false)),
            ("1130999", Some(true)),
            ("1131000", Some(false)),
            ("1005000", Some(false)),
            ("a1b2", None),
        ] {
            assert_eq!(window.holds(&v.into()), held, "{v}");
        }
    }
}
