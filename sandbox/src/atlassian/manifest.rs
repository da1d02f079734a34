//! The manifest by which application links know each other.
//!
//! Owns: `/rest/applinks/1.0/manifest` in its two forms.
//! Leaves to others: what stands in it.
//! A newcomer gets wrong: it is XML unless JSON is asked for, and open to anonymous.

use serde_json::json;

use super::reply::Reply;
use super::request::Request;

pub(crate) struct Manifest<'a> {
    /// The server's own id.
    pub id: &'a str,
    pub name: &'a str,
    /// `jira`, `confluence`, `stash`.
    pub kind: &'a str,
    pub version: String,
    pub build: u32,
    pub url: &'a str,
}

impl Manifest<'_> {
    pub(crate) fn answer(&self, request: &Request) -> Reply {
        let Manifest { id, name, kind, version, build, url } = self;
        if request.header("accept").is_some_and(|accept| accept.contains("application/json")) {
            return Reply::json(
                200,
                &json!({
                    "id": id, "name": name, "typeId": kind, "version": version, "buildNumber": build,
                    "applinksVersion": "9.0.0", "url": url, "inboundAuthenticationTypes": [],
                    "outboundAuthenticationTypes": [], "publicSignup": false,
                }),
            );
        }
        let title = name.replace('&', "&amp;").replace('<', "&lt;");
        let xml = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><manifest><id>{id}</id><name>{title}</name>\
             <typeId>{kind}</typeId><version>{version}</version><buildNumber>{build}</buildNumber>\
             <applinksVersion>9.0.0</applinksVersion><publicSignup>false</publicSignup><url>{url}</url></manifest>"
        );
        Reply::typed(200, "application/xml", xml.into_bytes())
    }
}
