//! The avatars of a user: list, create from the session, select, delete.
//!
//! Owns: the avatar bean (docs/wire/atlassian.md §3.4), step 2 and 3 of a change (§3.5), deletion (§3.6).
//! Leaves to others: step 1 (`upload`), pixels (`pictures`).
//! A newcomer gets wrong: the delete call checks whether the caller may edit the user of the query, never whether the
//! avatar is that user's (§1.7).

use serde_json::{Value, json};

use super::pictures::{self, Crop};
use super::site::Call;
use super::store::{Account, Shows, Temporary};
use super::switches;
use super::version::Release;
use crate::atlassian::reply::Reply;
use crate::atlassian::request::Fault;
use crate::atlassian::site::Answer;
use crate::observer::{Former, PictureChange};

/// Offsets above this are refused (§3.5: 0..452).
const LARGEST_OFFSET: u64 = 452;
/// What Jira says about every fault of its own in an upload.
const UPLOAD_FAILURE: &str = "An error occurred while uploading the avatar. Please try again.";

/// Crop numbers, as the body of step 2 gives them.
enum Numbers {
    Given(u64, u64, u64),
    Absent,
}

impl Call<'_> {
    pub(super) fn avatars(&mut self) -> Answer {
        let account = self.subject()?;
        let shown = self.store.shown_id(&account);
        let system: Vec<Value> =
            self.store.system_ids().into_iter().map(|id| self.avatar_bean(id, &account, Some(shown))).collect();
        let custom: Vec<Value> =
            self.store.custom_of(&account.key).map(|(id, _)| self.avatar_bean(id, &account, Some(shown))).collect();
        Ok(Reply::json(200, &json!({"system": system, "custom": custom})).no_store())
    }

    pub(super) fn system_avatars(&mut self) -> Answer {
        let me = self.me()?;
        let system: Vec<Value> =
            self.store.system_ids().into_iter().map(|id| self.avatar_bean(id, &me, None)).collect();
        Ok(Reply::json(200, &json!({ "system": system })))
    }

    /// An avatar bean; `shown` is what the account shows, none where the question does not arise.
    pub(super) fn avatar_bean(&self, id: u64, account: &Account, shown: Option<u64>) -> Value {
        let custom = self.store.avatar(id);
        let owner = custom.map(|avatar| avatar.owner.as_str());
        let selected = shown == Some(id);
        let mut bean = json!({
            "isSystemAvatar": custom.is_none(),
            "isDeletable": custom.is_some() && self.may_edit(account),
            "urls": self.urls_of(id, owner),
        });
        bean["id"] = match self.site.context.is(&switches::BEAN_IDS, "number") {
            true => json!(id),
            false => json!(id.to_string()),
        };
        if let Some(owner) = owner {
            bean["owner"] = json!(owner);
        } else {
            bean["fileName"] = json!(format!("Avatar-{}.svg", id - self.store.first_system.min(id)));
        }
        let fields = self.site.context.switch(&switches::SELECTED_FIELD);
        for field in ["isSelected", "selected"] {
            if fields == "both" || fields == field {
                bean[field] = json!(selected);
            }
        }
        bean
    }

    pub(super) fn confirm(&mut self) -> Answer {
        let account = self.subject()?;
        self.check_edit(&account)?;
        if self.request.mime().as_deref() != Some("application/json") {
            return Err(Reply::error(415, "Unsupported Media Type"));
        }
        let numbers = read_numbers(&self.request.body)?;
        let session = self.caller.session.as_ref().and_then(|id| self.store.auth_state.sessions.get_mut(id));
        // The session does not remember whose upload it is: whoever is named now gets the picture (§3.5).
        let Some(Temporary { uploaded, meant_for }) = session.and_then(|session| session.data.take()) else {
            self.store.counters.lost_temporary += 1;
            return Err(Reply::error(500, UPLOAD_FAILURE));
        };
        if meant_for != account.key {
            let words = format!("the upload for {meant_for} was confirmed for {}", account.key);
            self.site.context.violation(words);
        }
        let crop = match numbers {
            Numbers::Absent => uploaded.suggested(),
            Numbers::Given(x, y, side) => {
                let [x, y, side] = [x, y, side].map(|number| u32::try_from(number).unwrap_or(u32::MAX));
                Crop { x, y, side }
            }
        };
        let Some(png) = uploaded.cut(crop) else {
            return Err(Reply::error(400, "The cropping does not lie inside the picture."));
        };
        let id = self.create(&account, png);
        Ok(Reply::json(201, &self.avatar_bean(id, &account, None)))
    }

    /// Stores a new custom avatar of that account; it is not selected.
    pub(super) fn create(&mut self, account: &Account, png: Vec<u8>) -> u64 {
        let creator = self.me().map(|me| me.name).unwrap_or_default();
        let (owner, png) = match self.request.fault {
            Some(Fault::WrongPicture) => (&account.key, pictures::system(0).to_vec()),
            Some(Fault::WrongOwner) => {
                (self.store.accounts.keys().find(|key| **key != account.key).unwrap_or(&account.key), png)
            }
            _ => (&account.key, png),
        };
        let owner = owner.clone();
        self.judge(&owner, PictureChange::Stores(&png));
        let id = self.store.create(&owner, &creator, png);
        self.wrote(format!("create {id}"), &owner);
        id
    }

    pub(super) fn select(&mut self) -> Answer {
        let account = self.subject()?;
        self.check_edit(&account)?;
        let body: Value =
            serde_json::from_slice(&self.request.body).map_err(|_| Reply::error(400, "The body is not JSON."))?;
        let id = match &body["id"] {
            Value::String(text) => text.trim().parse().ok(),
            Value::Number(number) => number.as_u64(),
            _ => None,
        };
        let Some(id) = id else {
            if self.site.context.is(&switches::BAD_SELECT, "fails") {
                return Err(Reply::error(500, UPLOAD_FAILURE));
            }
            self.choose(&account.key, None);
            return Ok(Reply::empty());
        };
        let own = self.store.avatar(id).is_some_and(|avatar| avatar.owner == account.key);
        let fits = own || self.store.system_ids().contains(&id);
        if !fits {
            self.site.context.violation(format!("{} was given the avatar {id}, which is not its own", account.key));
            if self.site.context.is(&switches::FOREIGN_SELECT, "refused") {
                return Err(Reply::error(404, &format!("The avatar with the id {id} does not exist")));
            }
        }
        self.choose(&account.key, Some(id));
        let bean = match self.site.context.switch(&switches::SELECT_ANSWER).as_str() {
            "version" => self.site.version.select_answers_bean(),
            word => word == "bean",
        };
        Ok(if bean { Reply::json(200, &self.avatar_bean(id, &account, Some(id))) } else { Reply::empty() })
    }

    fn choose(&mut self, key: &str, id: Option<u64>) {
        let former = self.store.accounts.get(key).map(|account| self.store.shows(account));
        let chosen = |former: u64| self.store.avatar(former).is_some_and(|avatar| avatar.creator == "world");
        match (id.and_then(|id| self.store.avatar(id)).map(|avatar| avatar.png.clone()), former) {
            (Some(_), Some(Shows::Custom(former))) if Some(former) == id => {}
            (Some(png), Some(Shows::Custom(former))) if chosen(former) => {
                self.judge(key, PictureChange::Shows(&png, Former::Chosen));
            }
            (Some(png), _) => self.judge(key, PictureChange::Shows(&png, Former::Other)),
            (None, Some(Shows::Custom(_))) => self.judge(key, PictureChange::Resets),
            (None, _) => {}
        }
        if let Some(account) = self.store.accounts.get_mut(key) {
            account.chosen = id;
        }
        let what = id.map_or_else(|| "select nothing".to_owned(), |id| format!("select {id}"));
        self.wrote(what, key);
    }

    fn judge(&self, key: &str, change: PictureChange<'_>) {
        if let Some(account) = self.store.accounts.get(key) {
            self.site.context.judge(&account.name, change);
        }
    }

    pub(super) fn delete_avatar(&mut self, id: &str) -> Answer {
        let account = self.subject()?;
        self.check_edit(&account)?;
        let me = self.me()?;
        let none = || Reply::error(404, &format!("The avatar with the id {id} does not exist"));
        let number: u64 = id.parse().map_err(|_| none())?;
        if self.store.system_ids().contains(&number) || number == self.store.anonymous_avatar() {
            return Err(Reply::error(403, "System avatars cannot be deleted."));
        }
        let shown = self.store.avatar(number).and_then(|avatar| self.store.accounts.get(&avatar.owner));
        let shown = shown.filter(|owner| self.store.shows(owner) == Shows::Custom(number));
        if let Some(owner) = shown {
            self.judge(&owner.key, PictureChange::Resets);
        }
        let avatar =
            self.store.avatars.get_mut(&number).filter(|avatar| avatar.deleted_by.is_none()).ok_or_else(none)?;
        avatar.deleted_by = Some(me.name.clone());
        let (owner, creator) = (avatar.owner.clone(), avatar.creator.clone());
        if owner != account.key {
            self.site
                .context
                .violation(format!("avatar {number} of {owner} was deleted in the name of {}", account.key));
        }
        if creator != me.name {
            self.site.context.violation(format!("avatar {number}, uploaded by {creator}, was deleted by {}", me.name));
        }
        self.wrote(format!("delete {number}"), &owner);
        Ok(Reply::empty())
    }
}

/// The crop numbers; older documents send them as text (§12).
fn read_numbers(body: &[u8]) -> Result<Numbers, Reply> {
    let body: Value = serde_json::from_slice(body).map_err(|_| Reply::error(400, "The body is not JSON."))?;
    let number = |name: &str| match &body[name] {
        Value::Null => Ok(None),
        Value::Number(number) => number.as_u64().map(Some).ok_or(()),
        Value::String(text) => text.trim().parse().map(Some).map_err(|_| ()),
        _ => Err(()),
    };
    let read = |name: &str| number(name).map_err(|()| Reply::error(400, &format!("{name} is no number.")));
    let (x, y, side) = (read("cropperOffsetX")?, read("cropperOffsetY")?, read("cropperWidth")?);
    match (x, y, side) {
        (Some(x), Some(y), Some(_)) if x > LARGEST_OFFSET || y > LARGEST_OFFSET => {
            Err(Reply::error(400, "The cropping offsets must lie between 0 and 452."))
        }
        (Some(x), Some(y), Some(side)) => Ok(Numbers::Given(x, y, side)),
        (None, None, None) => Ok(Numbers::Absent),
        _ => Err(Reply::error(400, "The cropping numbers are incomplete.")),
    }
}
