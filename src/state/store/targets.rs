//! Which server a target is, and what was learnt about servers.
//!
//! Owns: the binding of a target's name to a server's own id. Leaves to others: asking the server (`load`).
//! A newcomer gets wrong: what was learnt belongs to the server and not to the target's name.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension};

use super::Store;
use crate::model::{ServerId, TargetId};
use crate::state::codec::TextId;
use crate::state::error::{StateError, StateFault};
use crate::state::writer::Ack;

impl Store {
    /// The server that the target stood for in earlier runs.
    pub fn bound(&self, target: &TargetId) -> Result<Option<ServerId>, StateError> {
        self.read("read a target in the state", |db| bound(db, target))
    }

    /// Binds a target to a server for good. Another server under the same name is refused.
    pub fn bind(&self, target: &TargetId, server: &ServerId) -> Ack<()> {
        let (target, found) = (target.clone(), server.clone());
        self.note("bind a target in the state", move |db| match bound(db, &target)? {
            Some(server) if server == found => {
                // What an earlier version wrote in clear goes.
                db.prepare_cached("UPDATE target SET server = ?2 WHERE id = ?1 AND server <> ?2")?
                    .execute([target.as_str(), found.as_str()])?;
                Ok(())
            }
            Some(bound) => Err(StateFault::OtherServer { target, bound, found }),
            None => {
                db.prepare_cached("INSERT INTO target (id, server) VALUES (?, ?)")?
                    .execute([target.as_str(), found.as_str()])?;
                Ok(())
            }
        })
    }

    /// Binds a target to the id of the server that was known by its address, with all that is on record of it.
    pub fn step_up(&self, target: &TargetId, address: &ServerId, server: &ServerId) -> Ack<()> {
        let [target, address, server] = [target.as_str(), address.as_str(), server.as_str()].map(str::to_owned);
        self.note("bind a target in the state", move |db| {
            for sql in [
                "UPDATE target SET server = ?3 WHERE id = ?1 AND server = ?2",
                "UPDATE OR REPLACE learnt SET server = ?3 WHERE server = ?2 AND ?1 = ?1",
                "UPDATE intent SET body = json_set(body, '$.server', ?3)
                 WHERE open = 1 AND body ->> '$.target' = ?1 AND body ->> '$.server' = ?2",
            ] {
                db.prepare_cached(sql)?.execute([&target, &address, &server])?;
            }
            Ok(())
        })
    }

    /// What was learnt about a server.
    pub fn learnt(&self, server: &ServerId) -> Result<BTreeMap<String, String>, StateError> {
        self.read("read a server in the state", |db| {
            let mut query = db.prepare_cached("SELECT word, value FROM learnt WHERE server = ?")?;
            Ok(query.query_map([server.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?)
        })
    }

    /// Keeps exactly this about a server.
    pub fn learn(&self, server: &ServerId, learnt: &BTreeMap<String, String>) -> Ack<()> {
        let (server, learnt) = (server.clone(), learnt.clone());
        self.note("record a server in the state", move |db| {
            db.prepare_cached("DELETE FROM learnt WHERE server = ?")?.execute([server.as_str()])?;
            let mut put = db.prepare_cached("INSERT INTO learnt (server, word, value) VALUES (?, ?, ?)")?;
            for (word, value) in &learnt {
                put.execute([server.as_str(), word, value])?;
            }
            Ok(())
        })
    }
}

fn bound(db: &Connection, target: &TargetId) -> Result<Option<ServerId>, StateFault> {
    Ok(db
        .prepare_cached("SELECT server FROM target WHERE id = ?")?
        .query_row([target.as_str()], |row| Ok(row.get::<_, TextId<ServerId>>(0)?.0.without_path()))
        .optional()?)
}
