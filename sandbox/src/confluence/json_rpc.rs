//! JSON-RPC: the same methods without a token, behind secure administrator sessions (docs/wire/atlassian.md §4.5).
//!
//! Owns: `/rpc/json-rpc/confluenceservice-v2`, the light mode included.
//! Leaves to others: the methods (`rpc`).
//! A newcomer gets wrong: a script never has a websudo session, so what concerns another person is refused unless the
//! site has switched secure sessions off.

use axum::http::Method;
use serde_json::{Value, json};

use super::rpc::RpcError;
use super::site::Call;
use super::store::Account;
use super::switches;
use super::xml::Param;
use crate::atlassian::auth::AuthPolicy;
use crate::atlassian::reply::Reply;
use crate::atlassian::site::Answer;

impl Call<'_> {
    pub(super) fn json_rpc(&mut self, light: Option<&str>) -> Answer {
        self.check_remote_api()?;
        if self.request.method != Method::POST {
            return Err(Reply::page(405, "Method Not Allowed", "Only POST"));
        }
        let me = self.me().ok_or_else(|| self.site.login_required())?;
        let body: Value = serde_json::from_slice(&self.request.body).unwrap_or_default();
        let (name, params, id) = match light {
            Some(name) => (name.to_owned(), &body, Value::Null),
            None => (body["method"].as_str().unwrap_or_default().to_owned(), &body["params"], body["id"].clone()),
        };
        let params: Vec<Param> = params.as_array().into_iter().flatten().map(param).collect();
        let found = match self.asks_for_websudo(&name, &me, &params) {
            true => {
                Err(RpcError::Broken("com.atlassian.confluence.rpc.NotPermittedException: WebSudo is required".into()))
            }
            false => self.invoke(&name, &me, &params),
        };
        let answer = match (found, light) {
            (Ok(value), Some(_)) => value,
            (Ok(value), None) => json!({"jsonrpc": "2.0", "result": value, "id": id}),
            (Err(trouble), None) => {
                json!({"jsonrpc": "2.0", "error": {"code": 500, "message": trouble.text()}, "id": id})
            }
            (Err(trouble), Some(_)) => json!({"error": {"code": 500, "message": trouble.text()}}),
        };
        Ok(Reply::json(200, &answer))
    }

    /// Whether the method concerns another person and secure sessions are on.
    fn asks_for_websudo(&self, name: &str, me: &Account, params: &[Param]) -> bool {
        let other = match (name, params.first()) {
            ("addProfilePicture" | "setUserPreferenceString" | "getUserPreferenceString", Some(Param::Text(user))) => {
                user.to_lowercase() != me.name
            }
            ("removeAttachment", Some(Param::Text(content))) => {
                let owner = content.parse().ok().and_then(|content| self.store.owner_of(content));
                owner.is_none_or(|owner| owner.key != me.key)
            }
            ("getActiveUsers", _) => true,
            _ => false,
        };
        other && self.site.context.is(&switches::WEBSUDO, "on")
    }
}

fn param(value: &Value) -> Param {
    let byte = |value: &Value| value.as_i64().and_then(|number| u8::try_from(number.rem_euclid(256)).ok());
    match value {
        Value::String(text) => Param::Text(text.clone()),
        Value::Bool(flag) => Param::Flag(*flag),
        Value::Number(number) => number.as_i64().map_or(Param::Other, Param::Number),
        Value::Array(all) => all.iter().map(byte).collect::<Option<_>>().map_or(Param::Other, Param::Bytes),
        _ => Param::Other,
    }
}
