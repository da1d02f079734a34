//! How an element of the file is declared whose keys are settings as they stand there.
//!
//! Owns: `declare!`: one list of keys, from which come what a run works with (here) and how the file is read (`pipeline`).
//! Leaves to others: elements that become something else than their keys (`pipeline` has the keys, this room the rest).
//! A newcomer gets wrong: the type before `as`, and the word after `=`, are those of `pipeline` (`scalar`, `read::Lack`)
//! and are looked up there, in the file that takes the list; this room knows none of them.

/// Of each key its meaning, for the administrator who reads it in an editor; how it is written, with `as` if a run works
/// with something else; and what happens when it is left out. Makes the type, and a macro that hands the list to another.
macro_rules! declare {
    (@setting $written:ty) => { $written };
    (@setting $written:ty, $setting:ty) => { $setting };
    (
        $(#[doc = $doc:literal])+
        #[derive($($derive:ident),+)]
        $name:ident in $keys:ident {
            $($(#[doc = $key_doc:literal])+ $key:ident: $written:ty $(as $setting:ty)? = $lack:expr,)+
        }
    ) => {
        $(#[doc = $doc])+
        #[derive($($derive),+)]
        pub struct $name {
            $($(#[doc = $key_doc])+ pub $key: declare!(@setting $written $(, $setting)?),)+
        }

        macro_rules! $keys {
            ($with:ident) => {
                $with! {
                    $(#[doc = $doc])+
                    $name {
                        $($(#[doc = $key_doc])+ $key: $written = $lack,)+
                    }
                }
            };
        }

        pub(crate) use $keys;
    };
}

pub(super) use declare;
