//! Rows of the table in which another picture stands where ours was, or one that is not on record: somebody's choice, or ours
//! after all.

use super::*;

pub(super) fn cases() -> Vec<Row> {
    vec![
        (
            "ours went away, people may choose",
            has(present()).placed().shows(Shown::Default).with(|c| c.ownership = Ownership::Ours),
            "keep",
            Reason::ChosenByHand,
            31,
        ),
        (
            "ours went away with a restored server, people may choose",
            has(present()).placed().shows(Shown::Default).with(restored),
            "replace",
            Reason::Drifted,
            30,
        ),
        (
            "a restored server shows the stock picture of before, people may choose",
            has(present())
                .placed()
                .shows(Shown::System("3".into()))
                .with(restored)
                .with(stood(Before::Picture("3".into()))),
            "replace",
            Reason::Drifted,
            30,
        ),
        (
            "a restored server shows a stock picture that was chosen since, people may choose",
            has(present())
                .placed()
                .shows(Shown::System("4".into()))
                .with(restored)
                .with(stood(Before::Picture("3".into()))),
            "keep",
            Reason::ChosenByHand,
            31,
        ),
        (
            "a restored server shows the upload of before, people may choose",
            has(present())
                .placed()
                .shows(custom("7"))
                .with(restored)
                .with(stood(Before::Picture("7".into())))
                .with(|c| c.looked = Comparison::Differs),
            "keep",
            Reason::ChosenByHand,
            31,
        ),
        (
            "a restored server, and never ours, people may choose",
            has(present()).shows(custom("7")).with(restored),
            "keep",
            Reason::ChosenByHand,
            31,
        ),
        (
            "chosen by hand, we replace",
            has(present()).shows(custom("7")).with(|c| c.looked = Comparison::Differs),
            "replace",
            Reason::PhotoNew,
            30,
        ),
        (
            "chosen by hand, people may choose",
            has(present()).shows(custom("7")).with(|c| c.ownership = Ownership::Ours),
            "keep",
            Reason::ChosenByHand,
            31,
        ),
        (
            "chosen by hand, people may choose, the state is lost",
            has(present()).shows(custom("7")).with(lost(Comparison::Differs)),
            "keep",
            Reason::ChosenByHand,
            31,
        ),
        (
            "ours after all, people may choose, the state is lost",
            has(present()).shows(custom("7")).with(lost(Comparison::Alike)),
            "unchanged",
            Reason::Unchanged,
            30,
        ),
        (
            "not readable, people may choose, the state is lost",
            has(present()).shows(custom("7")).with(lost(Comparison::Failed)),
            "keep",
            Reason::ChosenByHand,
            31,
        ),
        (
            "looks like the photo",
            has(present()).shows(custom("7")).with(|c| c.looked = Comparison::Alike),
            "unchanged",
            Reason::Unchanged,
            30,
        ),
        (
            "could not be looked at",
            has(present()).shows(custom("7")).with(|c| c.looked = Comparison::Failed),
            "keep",
            Reason::PictureUnknown,
            30,
        ),
        (
            "an older state, people may choose, it is the photo",
            has(present()).placed().shows(custom("7")).with(looked(Comparison::Alike)),
            "unchanged",
            Reason::Unchanged,
            30,
        ),
        (
            "an older state, people may choose, it is another picture",
            has(present()).placed().shows(custom("7")).with(looked(Comparison::Differs)),
            "keep",
            Reason::ChosenByHand,
            31,
        ),
        (
            "another picture than ours, people may choose, and the photo is the known one: looked at first",
            has(present()).placed().shows(custom("7")).with(|c| c.ownership = Ownership::Ours),
            "replace",
            Reason::Drifted,
            30,
        ),
        (
            "an older state that placed another photo, people may choose: looked at first",
            has(PhotoFact::Present { digest: Digest::of(b"new") }).placed().shows(custom("7")).with(|c| {
                (c.ownership, c.sources[0].learnt) = (Ownership::Ours, PhotoLearnt::Now);
            }),
            "replace",
            Reason::Drifted,
            30,
        ),
        (
            "an older state that does not know the photo, people may choose: looked at first",
            has(present()).shows(custom("7")).with(|c| {
                (c.ownership, c.sources[0].learnt) = (Ownership::Ours, PhotoLearnt::Now);
            }),
            "replace",
            Reason::PhotoNew,
            30,
        ),
        (
            "another account's picture, people may choose",
            has(present()).placed().shows(custom("of:JIRAUSER2:7")).with(|c| c.ownership = Ownership::Ours),
            "replace",
            Reason::Misplaced,
            30,
        ),
        (
            "another account's picture, and no photo, people may choose",
            has(absent()).shows(custom("of:JIRAUSER2:7")).with(|c| c.ownership = Ownership::Ours),
            "revert",
            Reason::Misplaced,
            21,
        ),
        (
            "another account's picture, not known whether there is a photo",
            has(unknown()).shows(custom("of:JIRAUSER2:7")),
            "keep",
            Reason::PhotoUnknown,
            10,
        ),
        (
            "another account's picture that we made, not known whether there is a photo",
            has(unknown()).shows(custom("of:JIRAUSER2:7")).with(|c| c.astray = true),
            "remove",
            Reason::Misplaced,
            30,
        ),
        (
            "another account's picture that we made, on somebody frozen",
            has(present()).shows(custom("of:JIRAUSER2:7")).with(|c| c.astray = true).with(standing(Standing::Frozen)),
            "remove",
            Reason::Misplaced,
            30,
        ),
    ]
}
