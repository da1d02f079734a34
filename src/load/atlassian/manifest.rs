//! Who a server says it is: `GET /rest/applinks/1.0/manifest` (docs/architecture.md, "The state").
//!
//! Owns: the server's own id, and refusing another product. Leaves to others: the version.
//! A newcomer gets wrong: the id outlives a move of the base URL; only where it is not shown the URL stands in.

use serde::Deserialize;

use super::client::{AtlassianClient, found};
use super::login;
use crate::http::{Failure, FailureKind};
use crate::model::ServerId;

/// The id of the server behind the address, else `base`. `kinds` are the product's own names in the manifest, the
/// sayable one of which is `product`; `user` is who we are by the answer before.
pub(crate) async fn server_id(
    atlassian: &AtlassianClient,
    product: &str,
    kinds: &[&str],
    base: Option<&str>,
    user: Option<&str>,
) -> Result<ServerId, Failure> {
    let response = atlassian.read(atlassian.http().url("rest/applinks/1.0/manifest")).await?;
    match response.status {
        200 => {
            let manifest = Manifest::read(&response.body)
                .ok_or_else(|| response.failure(FailureKind::Odd, "a manifest without an id"))?;
            if let Some(other) = manifest.type_id.as_deref().filter(|kind| !kinds.contains(kind)) {
                return Err(response
                    .failure(FailureKind::Misconfigured, format!("this is `{other}`, not {product}"))
                    .hint("name that product under `load`, or correct `base_url`"));
            }
            Ok(ServerId::new(manifest.id))
        }
        // The state is bound to this id. What stands before the server for a moment must not choose another.
        401 | 403 | 404 if user.is_some() && login::user(&response).is_none() => Err(response
            .failure(
                FailureKind::Unreachable,
                format!("{}, without X-AUSERNAME: this is not {product}", found(&response)),
            )
            .hint("a proxy answers in its place, or it is only starting: run again when it is well")),
        401 | 403 | 404 => Ok(address(atlassian, base)),
        status if status < 500 && status != 429 => Err(response.failure(FailureKind::Odd, found(&response))),
        _ => Err(response.failure(FailureKind::Unreachable, found(&response))),
    }
}

/// What stands in for the id where it is not shown: `base`, which the server gives itself, else where we ask.
pub(crate) fn address(atlassian: &AtlassianClient, base: Option<&str>) -> ServerId {
    ServerId::new(base.unwrap_or(atlassian.http().base().as_str()).trim_end_matches('/').to_owned())
}

/// `GET /rest/applinks/1.0/manifest`, as JSON.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    id: String,
    type_id: Option<String>,
}

impl Manifest {
    /// Reads either shape: the server chooses XML when a proxy drops `Accept`.
    fn read(body: &[u8]) -> Option<Self> {
        if let Ok(manifest) = serde_json::from_slice::<Self>(body) {
            // An empty id is none: every server that gives one would be the same.
            return Some(manifest).filter(|manifest| !manifest.id.trim().is_empty());
        }
        let text = std::str::from_utf8(body).ok()?;
        let id = element(text, "id")?;
        Some(Self { id: id.to_owned(), type_id: element(text, "typeId").map(str::to_owned) })
    }
}

/// The text of the first `<name>` without attributes. Enough for ids, which hold nothing to unescape.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    let text = text.trim();
    (!text.is_empty()).then_some(text)
}

/// A manifest in either shape.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz(body: &[u8]) -> impl std::hash::Hash + use<> {
    Manifest::read(body).map(|manifest| (manifest.id.is_empty(), manifest.type_id.is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_is_json_or_xml() {
        for body in [
            r#"{"id":"9d1f","name":"Jira","typeId":"jira"}"#,
            r#"<?xml version="1.0"?><manifest><id>9d1f</id><name>Jira</name><typeId>jira</typeId></manifest>"#,
        ] {
            let manifest = Manifest::read(body.as_bytes()).unwrap();
            assert_eq!((manifest.id.as_str(), manifest.type_id.as_deref()), ("9d1f", Some("jira")), "{body}");
        }
        for none in [
            &b"<html>log in</html>"[..],
            br#"{"id":"","typeId":"jira"}"#,
            br#"{"id":" "}"#,
            b"<manifest><id></id></manifest>",
        ] {
            assert!(Manifest::read(none).is_none(), "{}", String::from_utf8_lossy(none));
        }
    }
}
