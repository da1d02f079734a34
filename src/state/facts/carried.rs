//! What the facts of the last plan or run know of people whom this one did not ask for.
//!
//! Owns: taking it over. Leaves to others: when (`run::undo`).
//! A newcomer gets wrong: an undoing that gives back nobody's face asks no source; `explain`, `report` and `state forget`
//! still want to know who everybody is.

use rusqlite::params;

use super::Facts;
use crate::model::SourceId;
use crate::state::codec::Json;
use crate::state::error::{StateError, StateFault};
use crate::state::writer;

/// `?1`: sources that were listed now, in JSON. Of those only what was learnt of photos is taken.
const CARRY: [&str; 5] = [
    "INSERT OR IGNORE INTO person (source, id, display_name, standing, hint, keys)
     SELECT source, id, display_name, standing, hint, keys FROM last.person
     WHERE source NOT IN (SELECT value FROM json_each(?1)) ORDER BY seq DESC",
    "INSERT OR IGNORE INTO asked (kind, id, failure)
     SELECT kind, id, failure FROM last.asked WHERE kind = 'source' AND id NOT IN (SELECT value FROM json_each(?1))",
    "INSERT OR IGNORE INTO matched (target, account, source, verdict, person, detail)
     SELECT target, account, source, verdict, person, detail FROM last.matched
     WHERE source NOT IN (SELECT value FROM json_each(?1))",
    "INSERT OR IGNORE INTO claim (target, source, person, account)
     SELECT target, source, person, account FROM last.claim WHERE source NOT IN (SELECT value FROM json_each(?1))",
    "INSERT OR IGNORE INTO photo (source, person, fact, digest, new)
     SELECT source, person, fact, digest, 0 FROM last.photo WHERE ?1 IS NOT NULL",
];

impl Facts {
    /// Takes over what the last plan or run knew of the people of all sources but those `listed` now, and of everybody's photo.
    /// To be called once all is decided: nothing of it may decide about anybody.
    pub fn carry_people(&self, listed: &[SourceId]) -> Result<(), StateError> {
        let Some(last) = self.last_of_this_shape() else { return Ok(()) };
        self.ensure_index(&self.people)?;
        let tried = "take over who everybody is from the facts of the last run";
        let listed = Json(listed.iter().map(SourceId::as_str).collect::<Vec<_>>());
        let carry = || -> Result<(), StateFault> {
            let mut db = writer::lock(&self.connection)?;
            db.execute("ATTACH ? AS last", [last.to_string_lossy()])?;
            let carried = (|| -> Result<(), StateFault> {
                let transaction = db.transaction()?;
                for sql in CARRY {
                    transaction.execute(sql, params![listed])?;
                }
                Ok(transaction.commit()?)
            })();
            db.execute_batch("DETACH last")?;
            carried
        };
        carry().map_err(|fault| StateError::new(tried, self.path(), fault))
    }
}
