//! The endpoint of `pipelines/confluence-endpoint.groovy`, as ScriptRunner would serve it.
//!
//! Owns: that contract and nothing more. Base: `/rest/scriptrunner/latest/custom/avatarpipe`.
//!
//! | request | answer |
//! |---|---|
//! | `GET` | 200 `{"endpoint":"avatarpipe","version":1,"user":"svc","admin":true,"prefix":"avatarpipe-","confluence":"9.2.0"}` |
//! | `POST ?user=NAME&name=FILE[&key=KEY][&seen=PATH]` with `{"type":"image/png","picture":"BASE64"}` | stores and selects; 200 `{"user":"jdoe","key":"4028…","file":"FILE","path":"/download/attachments/ID/FILE","default":false}` |
//! | `POST ?user=NAME&action=default[&path=DEFAULT][&key=KEY][&seen=PATH]` | selects the default (`path`, else `default.svg`), removes nothing; the same answer, `file` null |
//! | `DELETE ?user=NAME&name=FILE[&key=KEY]` | 200 `{"user":"jdoe","key":"4028…","file":"FILE","removed":true}`; `removed` false if there was none |
//!
//! Refusals are `{"error":"WORD","message":"TEXT"}` and write nothing: 400 `bad_request`, 403 `not_admin`, 404 `no_user`,
//! 409 `changed` (the name is that of another account than `key`; or, with `path`, the account shows another picture than
//! `seen`), 409 `shown` (the file to remove is shown),
//! 413 `too_large` (above 5 MiB), 500 `failed`. ScriptRunner answers 401 without a login, 403 without our body to a
//! caller outside the group, and 404 where the script is not installed.
//!
//! Leaves to others: what it stores (`store`), who asks (`atlassian`).
//! A newcomer gets wrong: `key` and `seen` are compared only if they are sent, the path without the context path.

use axum::http::Method;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value, json};

use super::site::Call;
use super::stock::STOCK_FOLDER;
use super::store::{Account, Shows};
use super::switches;
use super::version::Version;
use super::world::Standing;
use crate::atlassian::auth::{AccountStore as _, Role};
use crate::atlassian::reply::Reply;
use crate::atlassian::site::Answer;

const VERSION: u32 = 1;
const PREFIX: &str = "avatarpipe-";
const GROUP: &str = "confluence-administrators";
const LARGEST: usize = 5 * 1024 * 1024;
const LONGEST_NAME: usize = PREFIX.len() + 100;

impl Call<'_> {
    pub(super) fn custom_endpoint(&mut self) -> Answer {
        if self.site.context.is(&switches::ENDPOINT, "absent") {
            return Err(Reply::json(404, &json!({"message": "null for uri", "status-code": 404})));
        }
        let me = self.me().ok_or_else(|| Reply::message(401, "You must be logged in to use this endpoint."))?;
        if !me.groups.contains(GROUP) {
            return Err(Reply::message(403, "You do not have permission to use this endpoint."));
        }
        let answer = match &self.request.method {
            method if method == Method::GET => self.about(&me),
            method if method == Method::POST => self.change(&me),
            method if method == Method::DELETE => self.delete(&me),
            _ => Err(Reply::message(405, "Method Not Allowed")),
        };
        answer.map(|answer| Reply::json(200, &answer))
    }

    fn about(&self, me: &Account) -> Result<Value, Reply> {
        check_admin(me)?;
        let Version { major, minor, patch } = self.site.version;
        Ok(json!({
            "endpoint": "avatarpipe", "version": VERSION, "user": me.name, "admin": true, "prefix": PREFIX,
            "confluence": format!("{major}.{minor}.{patch}"),
        }))
    }

    fn change(&mut self, me: &Account) -> Result<Value, Reply> {
        check_admin(me)?;
        let owner = self.person_named()?;
        match self.request.query("action") {
            Some("default") => {
                let standard = format!("{STOCK_FOLDER}default.svg");
                let path = self.request.query("path").filter(|path| !path.is_empty()).unwrap_or(&standard).to_owned();
                if !["default.svg", "default.png"].iter().any(|file| path == format!("{STOCK_FOLDER}{file}")) {
                    return Err(bad("The path is not that of a default picture."));
                }
                self.compare(&owner)?;
                self.choose(&owner, me, &path);
            }
            Some(_) => return Err(bad("The only action is default.")),
            None => {
                let name = self.file_name()?;
                let (mime, bytes) = sent(&self.request.body)?;
                self.compare(&owner)?;
                self.store_file(&owner, me, &name, &mime, bytes.into());
                self.choose(&owner, me, &name);
            }
        }
        self.shown_now(&owner.key)
    }

    fn delete(&mut self, me: &Account) -> Result<Value, Reply> {
        check_admin(me)?;
        let owner = self.person_named()?;
        let name = self.file_name()?;
        let nth = self.store.current(&owner.key, &name);
        if let Some(nth) = nth {
            let default = self.site.default_picture();
            if self.store.shows(&owner, &default) == Shows::File(nth) {
                let path = self.store.path(&owner, &default);
                return Err(refusal(409, "shown", "The file is the one that is shown.", Some(&path)));
            }
            self.remove_file(&owner, me, nth);
        }
        Ok(json!({"user": owner.name, "key": owner.key, "file": name, "removed": nth.is_some()}))
    }

    fn wanted(&self, what: &str) -> Result<&str, Reply> {
        let value = self.request.query(what).filter(|value| !value.trim().is_empty());
        value.ok_or_else(|| bad(&format!("The query parameter {what} is missing.")))
    }

    fn person_named(&self) -> Result<Account, Reply> {
        let name = self.wanted("user")?;
        let found = self.store.by_name(name).filter(|account| account.standing != Standing::Deleted);
        let words = || format!("Nobody has the user name {name}.");
        let found = found.cloned().ok_or_else(|| refusal(404, "no_user", &words(), None))?;
        match self.request.query("key") {
            Some(key) if key != found.key => {
                Err(refusal(409, "changed", &format!("The name {name} is another account's now."), None))
            }
            _ => Ok(found),
        }
    }

    fn file_name(&self) -> Result<String, Reply> {
        let name = self.wanted("name")?;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let fits = name.starts_with(PREFIX) && name.len() > PREFIX.len() && name.len() <= LONGEST_NAME;
        match fits && name.chars().all(plain) {
            true => Ok(name.to_owned()),
            false => Err(bad("The file name must begin with avatarpipe- and hold only letters, digits, . _ -")),
        }
    }

    fn compare(&self, owner: &Account) -> Result<(), Reply> {
        let now = self.store.path(owner, &self.site.default_picture());
        let is_default = |path: &str| path.starts_with(&format!("{STOCK_FOLDER}default."));
        match self.request.query("seen").and_then(|seen| seen.split('?').next()) {
            Some(seen) if seen != now && !(is_default(seen) && is_default(&now)) => {
                Err(refusal(409, "changed", "The account shows another picture now.", Some(&now)))
            }
            _ => Ok(()),
        }
    }

    fn shown_now(&self, key: &str) -> Result<Value, Reply> {
        let default = self.site.default_picture();
        let gone = || refusal(500, "failed", "The account is gone.", None);
        let owner = self.store.accounts.get(key).ok_or_else(gone)?;
        let path = self.store.path(owner, &default);
        let file = match self.store.shows(owner, &default) {
            Shows::File(nth) => Some(self.store.files[nth].name.clone()),
            Shows::Default | Shows::Stock(_) => None,
        };
        let standard = path.starts_with(&format!("{STOCK_FOLDER}default."));
        Ok(json!({"user": owner.name, "key": owner.key, "file": file, "path": path, "default": standard}))
    }
}

fn check_admin(me: &Account) -> Result<(), Reply> {
    match me.role >= Role::Admin {
        true => Ok(()),
        false => Err(refusal(403, "not_admin", "Only Confluence administrators may use this endpoint.", None)),
    }
}

fn sent(body: &[u8]) -> Result<(String, Vec<u8>), Reply> {
    let body: Map<String, Value> = serde_json::from_slice(body).map_err(|_| bad("The body is not a JSON object."))?;
    let wanted = || bad("The body must be {\"type\":\"image/…\",\"picture\":\"BASE64\"}.");
    let text = |name| body.get(name).and_then(Value::as_str);
    let mime = text("type").filter(|mime| mime.starts_with("image/")).ok_or_else(wanted)?;
    let text = text("picture").filter(|text| !text.is_empty()).ok_or_else(wanted)?;
    let large = || refusal(413, "too_large", &format!("The picture has more than {LARGEST} bytes."), None);
    if text.len() > LARGEST * 4 / 3 + 4 {
        return Err(large());
    }
    let bytes = decoded(text).ok_or_else(|| bad("The picture is not base64."))?;
    if bytes.len() > LARGEST {
        return Err(large());
    }
    Ok((mime.to_owned(), bytes))
}

/// Base64 as Java's strict decoder reads it: no blanks; the padding is whole or missing; bits to spare do not matter.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let padding = match text.ends_with('=') {
        true => DecodePaddingMode::RequireCanonical,
        false => DecodePaddingMode::RequireNone,
    };
    let java = GeneralPurposeConfig::new().with_decode_padding_mode(padding).with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(&STANDARD, java).decode(text).ok()
}

fn bad(message: &str) -> Reply {
    refusal(400, "bad_request", message, None)
}

fn refusal(status: u16, word: &str, message: &str, path: Option<&str>) -> Reply {
    let mut answer = json!({"error": word, "message": message});
    if let Some(path) = path {
        answer["path"] = json!(path);
    }
    Reply::json(status, &answer)
}
