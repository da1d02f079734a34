//! The live directory of a tenant: its people and photos as they are now.
//!
//! Owns: that state, keeping it, and what a test may do to it.
//! Leaves to others: the tokens it issued (`tokens`), the queries (`graph`).
//! A newcomer gets wrong: a photo that is set again to the same bytes gets a new change marker
//! (docs/wire/microsoft-graph.md §3.6), so every photo carries an edition.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::live::{LivePerson, LivePhoto, PhotoFile, type_by_name, type_named};
use super::tokens::Tokens;
use super::world::{Certificate, NoPhoto, PhotoFailure, Tenant};
use crate::jwt::Key;
use crate::pictures::Pictures;
use crate::saved::Saved;

pub(crate) struct Directory {
    pub tenant: Tenant,
    pictures: Pictures,
    people: Mutex<People>,
    pub(super) certificates: Vec<(Certificate, Key)>,
    pub(crate) tokens: Tokens,
}

/// Everybody in the order of the world, and where to find whom: benchmarks ask for a hundred thousand.
#[derive(Default)]
struct People {
    people: Vec<Arc<LivePerson>>,
    places: HashMap<String, usize>,
}

impl People {
    fn new(people: Vec<Arc<LivePerson>>) -> Self {
        let keys = |live: &LivePerson| [live.person.id.to_lowercase(), live.person.upn.to_lowercase()];
        let places = people.iter().zip(0..).flat_map(|(live, place)| keys(live).map(|key| (key, place))).collect();
        Self { people, places }
    }

    fn get(&self, key: &str) -> Option<&Arc<LivePerson>> {
        self.people.get(*self.places.get(&key.to_lowercase())?)
    }

    fn get_mut(&mut self, key: &str) -> Option<&mut LivePerson> {
        let place = *self.places.get(&key.to_lowercase())?;
        self.people.get_mut(place).map(Arc::make_mut)
    }
}

#[derive(Serialize, Deserialize)]
struct SavedPerson {
    enabled: bool,
    throttled: u32,
    edition: u32,
    photo: SavedPhoto,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    renamed: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SavedPhoto {
    Present { digest: String, content_type: String, etag: String },
    Absent(NoPhoto),
    Failing(PhotoFailure),
}

/// What a test may do to the directory.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Command {
    /// Gives a person another photo, or none.
    Photo {
        person: String,
        now: NewPhoto,
    },
    /// Sets `accountEnabled`.
    Enabled {
        person: String,
        now: bool,
    },
    Delete {
        person: String,
    },
    /// Gives a person another sign-in name and address; the old address becomes another one of theirs.
    Rename {
        person: String,
        to: String,
    },
    /// Refuses a person's photo with 429 so often.
    Throttle {
        person: String,
        times: u32,
    },
    /// Makes every token issued so far invalid.
    RevokeTokens {},
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum NewPhoto {
    /// A picture file of the world.
    File(String),
    /// These bytes, in base64.
    Bytes(String),
    None(NoPhoto),
    Failure(PhotoFailure),
    /// The same bytes, uploaded again.
    Same {},
}

impl Directory {
    pub(crate) fn new(tenant: &Tenant, pictures: &Pictures) -> Self {
        let people = tenant.people.iter().map(|person| Arc::new(LivePerson::new(person, pictures))).collect();
        let read = |own: &Certificate| {
            let key = Key::read(&own.key(), pictures).expect("a world is checked for its keys");
            (own.clone(), key)
        };
        let certificates = tenant.app.certificates.iter().map(read).collect();
        let (people, tokens) = (Mutex::new(People::new(people)), Tokens::default());
        Self { tenant: tenant.clone(), pictures: pictures.clone(), people, certificates, tokens }
    }

    /// Everybody, in the order of the world.
    pub(crate) fn people(&self) -> Vec<Arc<LivePerson>> {
        self.lock().people.clone()
    }

    /// A person by object id or sign-in name.
    pub(crate) fn find(&self, key: &str) -> Option<Arc<LivePerson>> {
        self.lock().get(key).cloned()
    }

    /// Whether this person's photo is refused with 429 this time; each refusal is counted down.
    pub(crate) fn throttle(&self, id: &str) -> bool {
        let mut all = self.lock();
        if all.get(id).is_none_or(|live| live.throttled == 0) {
            return false;
        }
        let Some(live) = all.get_mut(id) else { return false };
        live.throttled -= 1;
        true
    }

    pub(crate) fn command(&self, command: &Value) -> Result<Value, String> {
        let command = Command::deserialize(command).map_err(|e| e.to_string())?;
        if matches!(command, Command::RevokeTokens {}) {
            return Ok(json!({ "revoked": self.tokens.revoke_all() }));
        }
        let mut all = self.lock();
        let (Command::Photo { person: key, .. }
        | Command::Enabled { person: key, .. }
        | Command::Delete { person: key }
        | Command::Rename { person: key, .. }
        | Command::Throttle { person: key, .. }) = &command
        else {
            return Ok(Value::Null);
        };
        let key = key.clone();
        let live = all.get_mut(&key).ok_or_else(|| format!("nobody is {key}"))?;
        match command {
            Command::Photo { now, .. } => {
                live.photo = self.new_photo(now, live)?;
                live.edition += 1;
                live.mark();
            }
            Command::Enabled { now, .. } => live.enabled = now,
            Command::Rename { to, .. } => {
                live.rename(&to);
                *all = People::new(std::mem::take(&mut all.people));
            }
            Command::Throttle { times, .. } => live.throttled = times,
            Command::Delete { .. } => {
                let gone = live.person.id.clone();
                let stay = all.people.iter().filter(|live| live.person.id != gone).cloned();
                *all = People::new(stay.collect());
            }
            Command::RevokeTokens {} => {}
        }
        Ok(json!({ "done": true }))
    }

    fn new_photo(&self, now: NewPhoto, person: &LivePerson) -> Result<LivePhoto, String> {
        use base64::Engine as _;
        Ok(match now {
            NewPhoto::None(shape) => LivePhoto::Absent(shape),
            NewPhoto::Failure(shape) => LivePhoto::Failing(shape),
            NewPhoto::Same {} => person.photo.clone(),
            NewPhoto::File(name) => {
                let bytes = self.pictures.get(&name).ok_or_else(|| format!("the world has no picture file {name}"))?;
                LivePhoto::Present(PhotoFile::new(bytes, type_by_name(&name)))
            }
            NewPhoto::Bytes(text) => {
                let bytes = base64::engine::general_purpose::STANDARD.decode(text).map_err(|e| e.to_string())?;
                LivePhoto::Present(PhotoFile::new(bytes.into(), "image/jpeg"))
            }
        })
    }

    pub(crate) fn save(&self) -> Saved {
        let mut saved = Saved::default();
        let mut kept = BTreeMap::new();
        for live in &self.lock().people {
            let photo = match &live.photo {
                LivePhoto::Present(file) => SavedPhoto::Present {
                    digest: saved.keep(&file.bytes()),
                    content_type: file.content_type.to_owned(),
                    etag: file.etag.clone(),
                },
                LivePhoto::Absent(shape) => SavedPhoto::Absent(*shape),
                LivePhoto::Failing(shape) => SavedPhoto::Failing(*shape),
            };
            let LivePerson { person, enabled, throttled, edition, renamed, .. } = live.as_ref();
            let renamed = renamed.clone();
            let one = SavedPerson { enabled: *enabled, throttled: *throttled, edition: *edition, photo, renamed };
            kept.insert(person.id.clone(), one);
        }
        saved.value = json!({ "people": kept });
        saved
    }

    pub(crate) fn load(&self, saved: &Saved) -> Result<(), String> {
        let people = saved.value.get("people").ok_or("no people in the state")?;
        let mut kept = BTreeMap::<String, SavedPerson>::deserialize(people).map_err(|e| e.to_string())?;
        let mut all = self.lock();
        // Whoever is not in the state was deleted in an earlier run: the world itself is the same.
        let mut people = std::mem::take(&mut all.people);
        people.retain(|live| kept.contains_key(&live.person.id));
        for live in people.iter_mut().map(Arc::make_mut) {
            let Some(one) = kept.remove(&live.person.id) else { continue };
            (live.enabled, live.throttled, live.edition) = (one.enabled, one.throttled, one.edition);
            if let Some(name) = &one.renamed {
                live.rename(name);
            }
            live.photo = match one.photo {
                SavedPhoto::Absent(shape) => LivePhoto::Absent(shape),
                SavedPhoto::Failing(shape) => LivePhoto::Failing(shape),
                SavedPhoto::Present { digest, content_type, etag } => {
                    let file = PhotoFile::new(saved.blob(&digest)?, type_named(&content_type));
                    LivePhoto::Present(PhotoFile { etag, ..file })
                }
            };
        }
        *all = People::new(people);
        Ok(())
    }

    pub(super) fn text(&self, name: &str) -> String {
        self.pictures.get(name).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, People> {
        self.people.lock().expect("no code panics while it holds the directory")
    }
}
