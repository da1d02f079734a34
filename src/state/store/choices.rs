//! Pictures that people chose where ours stood.
//!
//! Owns: that a picture is looked at once (promise P5). Leaves to others: what follows from a look (`plan`).
//! A newcomer gets wrong: what counts is the picture's name at the target. Whatever stands there under another name is
//! looked at again.

use rusqlite::{OptionalExtension, params};

use super::{Store, past, words};
use crate::model::{AccountId, PictureRef, TargetId};
use crate::state::codec::{Packed, TextId};
use crate::state::error::StateError;
use crate::state::writer::Ack;

impl Store {
    /// The picture on an account that was looked at and is not ours.
    pub fn choice(&self, target: &TargetId, account: &AccountId) -> Result<Option<PictureRef>, StateError> {
        self.read("read a choice in the state", |db| {
            let mut query = db.prepare_cached(&format!("SELECT mark FROM choice WHERE {}", past::OF_ACCOUNT))?;
            let mark = query.query_row(past::account(target, account), |row| row.get::<_, TextId<_>>(0)).optional()?;
            Ok(mark.map(|mark| mark.0))
        })
    }

    /// Records pictures that were looked at and are not ours.
    pub fn choose(&self, target: &TargetId, choices: Vec<(AccountId, PictureRef)>) -> Ack<()> {
        let target = target.clone();
        self.write("record choices in the state", move |db| {
            let target = words::number(db, target.as_str())?;
            let mut put =
                db.prepare_cached("INSERT OR REPLACE INTO choice (target, account, mark) VALUES (?, ?, ?)")?;
            for (account, mark) in &choices {
                put.execute(params![target, Packed(account.as_str()), mark.as_str()])?;
            }
            Ok(())
        })
    }
}
