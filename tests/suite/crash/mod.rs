//! Killed at every request of every write: after the next run every account is right, nothing is left over, nothing of
//! others is gone, and nothing was written twice (promise P4).
//!
//! Owns: the table of contents.
//! Leaves to others: `state`, where a kill in the middle of a transaction is tried.
//! A newcomer gets wrong: a request is cut off more than once: before the server has done it, after, and later, when the
//! program is long gone. What the program could not know then is the whole point.

mod bitbucket;
mod broken;
mod bucket;
mod confluence;
mod elsewhere; // the next machine, and kills at the store of a state in a bucket
mod folder;
mod jira;
mod kills;
mod late;
mod passing; // the name passes to somebody else meanwhile
mod person;
mod undo;
