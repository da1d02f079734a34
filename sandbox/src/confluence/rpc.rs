//! The remote API: its methods, and XML-RPC around them (docs/wire/atlassian.md §4.4).
//!
//! Owns: which methods there are, what each checks and does, faults, the tokens of `login`.
//! Leaves to others: the wire format (`xml`), JSON-RPC (`json_rpc`), what a change does (`call`).
//! A newcomer gets wrong: a failure is 200. Only a remote API that is off (403) or gone (404) is told by the status.

use axum::http::Method;
use serde_json::{Value, json};

use super::call::may_edit;
use super::site::Call;
use super::stock::STOCK_FOLDER;
use super::store::{Account, Ticket};
use super::switches;
use super::world::Standing;
use super::xml::{self, Param};
use crate::atlassian::auth::{AccountStore as _, AuthPolicy, Role};
use crate::atlassian::login::check_password;
use crate::atlassian::made_up::number_from;
use crate::atlassian::reply::Reply;
use crate::atlassian::site::Answer;

/// The one preference that is played.
const PICTURE_KEY: &str = "confluence.user.profile.picture";

pub(super) enum RpcError {
    /// A refusal: the exception's class below `com.atlassian.confluence.rpc` and its text.
    Refused(&'static str, String),
    Broken(String),
}

impl RpcError {
    fn not_permitted(what: &str) -> RpcError {
        RpcError::Refused("NotPermittedException", what.to_owned())
    }

    fn remote(what: impl Into<String>) -> RpcError {
        RpcError::Refused("RemoteException", what.into())
    }

    /// As `faultString` has it.
    pub(super) fn text(&self) -> String {
        match self {
            RpcError::Refused(class, what) => {
                format!("java.lang.Exception: com.atlassian.confluence.rpc.{class}: {what}")
            }
            RpcError::Broken(what) => format!("java.lang.Exception: {what}"),
        }
    }
}

impl Call<'_> {
    /// The refusal of a remote API that is off or gone.
    pub(super) fn check_remote_api(&self) -> Result<(), Reply> {
        match self.site.context.switch(&switches::REMOTE_API).as_str() {
            "off" => Err(Reply::page(
                403,
                "Forbidden",
                "Remote API is not enabled on this server. Ask a site administrator to enable it.",
            )),
            "gone" => Err(Reply::page(404, "Page Not Found", "Not found")),
            _ => Ok(()),
        }
    }

    pub(super) fn xml_rpc(&mut self) -> Answer {
        self.check_remote_api()?;
        if self.request.method != Method::POST {
            return Err(Reply::page(405, "Method Not Allowed", "Only POST"));
        }
        let answer = |text: String| Reply::typed(200, "text/xml;charset=UTF-8", text.into_bytes());
        let call = match xml::read(&self.request.body) {
            Ok(call) => call,
            Err(fault) => return Ok(answer(xml::fault(&format!("java.lang.Exception: {fault}")))),
        };
        let name = call.name.strip_prefix("confluence2.").or_else(|| call.name.strip_prefix("confluence1."));
        let found = match (name, &call.params[..]) {
            (None, _) => Err(RpcError::Broken(format!("RPC handler object not found for \"{}\"", call.name))),
            (Some("login"), params) => self.log_in(params),
            (Some("logout"), [Param::Text(token)]) => Ok(json!(self.store.tickets.remove(token).is_some())),
            (Some(name), [Param::Text(token), params @ ..]) => {
                self.rpc_caller(token).and_then(|me| self.invoke(name, &me, params))
            }
            (Some(name), _) => Err(no_such_method(name)),
        };
        Ok(match found {
            Ok(value) => answer(xml::response(&value)),
            Err(RpcError::Broken(_)) if self.site.context.is(&switches::RPC_EXCEPTIONS, "empty") => {
                answer(String::new())
            }
            Err(trouble) => answer(xml::fault(&trouble.text())),
        })
    }

    fn log_in(&mut self, params: &[Param]) -> Result<Value, RpcError> {
        let [Param::Text(name), Param::Text(password)] = params else { return Err(no_such_method("login")) };
        let refused = || {
            RpcError::Refused(
                "AuthenticationFailedException",
                format!("Attempt to log in user '{name}' failed - incorrect username/password combination."),
            )
        };
        if self.site.context.is(&switches::RPC_LOGIN, "off") {
            return Err(refused());
        }
        let key = check_password(self.site, self.store, name, password).map_err(|_| refused())?;
        let used = self.site.context.now();
        let token = format!("{:016x}", number_from(&key, &format!("{used:?} {}", self.store.tickets.len())));
        self.store.tickets.insert(token.clone(), Ticket { key, used });
        Ok(json!(token))
    }

    /// Whom the token stands for: an empty one for the login of the request (§4.4).
    fn rpc_caller(&mut self, token: &str) -> Result<Account, RpcError> {
        let now = self.site.context.now();
        let lives = self.site.context.number(&switches::RPC_TOKEN_SECONDS);
        if token.is_empty() {
            let by_http = self.site.context.is(&switches::RPC_HTTP_LOGIN, "on");
            return match self.me().filter(|_| by_http) {
                Some(me) => Ok(me),
                None if self.site.context.is(&switches::RPC_ANONYMOUS, "anonymous") => Ok(nobody()),
                None => Err(RpcError::not_permitted("Anonymous RPC access is disabled on this server")),
            };
        }
        let fresh = |ticket: &Ticket| now.duration_since(ticket.used).unwrap_or_default().as_secs() < lives;
        let ticket = self.store.tickets.get_mut(token).filter(|ticket| fresh(ticket));
        let key = ticket.map(|ticket| {
            ticket.used = now;
            ticket.key.clone()
        });
        key.and_then(|key| self.store.accounts.get(&key)).cloned().ok_or_else(|| {
            let words = "User not authenticated yet or session expired. Call login() to open a new session";
            RpcError::Refused("InvalidSessionException", words.to_owned())
        })
    }

    /// Carries out a method; the token is not among the parameters.
    pub(super) fn invoke(&mut self, name: &str, me: &Account, params: &[Param]) -> Result<Value, RpcError> {
        use Param::{Bytes, Flag, Text};
        match (name, params) {
            ("getServerInfo", []) => Ok(self.server_info()),
            ("getUser", [Text(name)]) => self.rpc_user(self.store.by_name(name)),
            ("getUserByKey", [Text(key)]) => self.rpc_user(self.store.accounts.get(key)),
            ("getActiveUsers", [Flag(_)]) => self.active_users(me),
            ("addProfilePicture", [Text(user), Text(file), Text(mime), Bytes(bytes)]) => {
                self.add_profile_picture(me, user, file, mime, bytes)
            }
            ("setUserPreferenceString", [Text(user), Text(key), Text(value)]) => {
                let owner = self.edited(me, user)?;
                if key == PICTURE_KEY {
                    self.choose(&owner, me, value);
                }
                Ok(json!(true))
            }
            ("getUserPreferenceString", [Text(user), Text(key)]) => {
                let owner = self.edited(me, user)?;
                Ok(json!(owner.chosen.filter(|_| key == PICTURE_KEY).unwrap_or_default()))
            }
            ("removeAttachment", [Text(content), Text(file)]) => self.remove_attachment(me, content, file),
            _ => Err(no_such_method(name)),
        }
    }

    fn server_info(&self) -> Value {
        let version = self.site.version;
        json!({
            "majorVersion": version.major.to_string(), "minorVersion": version.minor.to_string(),
            "patchLevel": version.patch.to_string(), "developmentBuild": "false",
            "buildId": super::version::Release::build_number(version).to_string(), "baseUrl": self.site.base(),
        })
    }

    fn rpc_user(&self, found: Option<&Account>) -> Result<Value, RpcError> {
        let account = found.filter(|account| account.standing != Standing::Deleted);
        let account = account.ok_or_else(|| RpcError::remote("User does not exist"))?;
        let email = account.email.as_deref().filter(|_| self.site.context.is(&switches::EMAIL, "shown"));
        Ok(json!({
            "name": account.name, "fullname": account.display_name, "email": email.unwrap_or_default(),
            "key": account.key, "url": format!("{}/display/~{}", self.site.base(), account.name),
        }))
    }

    fn active_users(&self, me: &Account) -> Result<Value, RpcError> {
        if me.role < Role::Admin {
            return Err(RpcError::not_permitted("You don't have permission to administer this server."));
        }
        let active = self.store.accounts.values().filter(|account| account.standing == Standing::Active);
        let mut names: Vec<&str> = active.map(|account| account.name.as_str()).collect();
        names.sort_unstable();
        Ok(json!(names))
    }

    /// The person named, if the caller may edit it.
    fn edited(&self, me: &Account, name: &str) -> Result<Account, RpcError> {
        let found = self.store.by_name(name).filter(|account| account.standing != Standing::Deleted);
        let owner = found.cloned().ok_or_else(|| RpcError::remote("User does not exist"))?;
        match may_edit(me, &owner) {
            true => Ok(owner),
            false => Err(RpcError::not_permitted("No permission to edit this user")),
        }
    }

    fn add_profile_picture(
        &mut self,
        me: &Account,
        user: &str,
        file: &str,
        mime: &str,
        bytes: &[u8],
    ) -> Result<Value, RpcError> {
        let owner = self.edited(me, user)?;
        if !mime.starts_with("image/") {
            return Err(RpcError::remote(format!("{mime} is not an image type")));
        }
        if file.trim().is_empty() || file.contains(['/', '\\']) {
            return Err(RpcError::remote("The file name must not be empty and must not hold a path"));
        }
        let largest = self.site.context.number(&switches::ATTACHMENT_LIMIT);
        if largest > 0 && bytes.len() as u64 > largest {
            return Err(RpcError::remote(format!("Attachment size is too big; the maximum is {largest}")));
        }
        if bytes.is_empty() {
            return Err(RpcError::Broken("java.lang.IllegalArgumentException: no data".to_owned()));
        }
        self.store_file(&owner, me, file, mime, bytes.to_vec().into());
        self.choose(&owner, me, file);
        Ok(json!(true))
    }

    fn remove_attachment(&mut self, me: &Account, content: &str, file: &str) -> Result<Value, RpcError> {
        let number = || RpcError::Broken(format!("java.lang.NumberFormatException: For input string: \"{content}\""));
        let content: u64 = content.parse().map_err(|_| number())?;
        let owner = self.store.owner_of(content).cloned();
        let owner = owner.ok_or_else(|| RpcError::remote("The content does not exist"))?;
        let nth = self.store.current(&owner.key, file);
        let nth = nth.ok_or_else(|| RpcError::remote("The attachment does not exist"))?;
        let refused = me.key != owner.key && self.site.context.is(&switches::ATTACHMENT_REMOVE, "refused");
        if refused || !may_edit(me, &owner) {
            return Err(RpcError::not_permitted("No permission to remove this attachment"));
        }
        self.remove_file(&owner, me, nth);
        Ok(json!(true))
    }
}

fn no_such_method(name: &str) -> RpcError {
    RpcError::Broken(format!("java.lang.NoSuchMethodException: {name} with the given parameter types"))
}

/// Anonymous: no key, no role, edits nobody.
fn nobody() -> Account {
    Account {
        display_name: "Anonymous".to_owned(),
        chosen: Some(format!("{STOCK_FOLDER}anonymous.svg")),
        ..Account::default()
    }
}
