//! Batches: many calls in one `multipart/mixed` request (docs/wire/google-directory.md §4).
//!
//! Owns: taking the request apart, the rules of a batch, its answer with a boundary of its own, faults in single parts.
//! Leaves to others: answering a part (`Directory::dispatch`).
//! A newcomer gets wrong: the answer names a part by `response-` and the part's own name, inside the angle brackets, and
//! an outer 200 says nothing about the parts.

use std::collections::BTreeMap;
use std::time::Duration;

use super::call::{Call, Content, Reply};
use super::service::Directory;
use crate::faults::Effect;
use crate::google::switches::{BATCH_ABSOLUTE, BATCH_LIMIT, BATCH_ORDER};
use crate::simulator::SimulatedAnswer;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    id: Option<String>,
    method: String,
    target: String,
    headers: BTreeMap<String, String>,
}

impl Directory {
    /// Answers a batch, and says for the log what was asked for in its parts.
    pub(super) async fn batch(&self, outer: &Call, body: &[u8]) -> (Reply, SimulatedAnswer) {
        let parts = match self.judge(outer, body) {
            Ok(parts) => parts,
            Err(says) => {
                return (self.refuse(outer, "badRequest", Some(&says)), SimulatedAnswer::default());
            }
        };
        let (mut answers, mut log, mut who) = (Vec::new(), Vec::new(), None);
        for part in &parts {
            let (status, bytes, asked_by) = self.part(outer, part).await;
            log.push((format!("{} {}", part.method, part.target), status));
            answers.extend(bytes.map(|bytes| (part.id.clone(), bytes)));
            who = who.or(asked_by);
        }
        match self.context.switch(&BATCH_ORDER).as_str() {
            "reversed" => answers.reverse(),
            "shuffled" => answers.sort_by_key(|(id, _)| *blake3::hash(format!("{id:?}").as_bytes()).as_bytes()),
            _ => {}
        }
        let boundary = format!("batch_{}", uuid::Uuid::new_v4().simple());
        let mut text = Vec::new();
        for (id, bytes) in answers {
            let id = id.map(|id| format!("Content-ID: <response-{id}>\r\n")).unwrap_or_default();
            text.extend(format!("--{boundary}\r\nContent-Type: application/http\r\n{id}\r\n").into_bytes());
            text.extend(bytes);
            text.extend(b"\r\n");
        }
        text.extend(format!("--{boundary}--\r\n").into_bytes());
        // Every part is text: JSON, a page, or nothing.
        let text = String::from_utf8_lossy(&text).into_owned();
        let content = Content::Raw { text, content_type: format!("multipart/mixed; boundary={boundary}") };
        let reply = Reply { status: 200, headers: Vec::new(), content };
        (reply, SimulatedAnswer { who, session: None, units: Some(log.len() as u64), parts: log })
    }

    /// The rules whose breach fails the whole batch.
    fn judge(&self, outer: &Call, body: &[u8]) -> Result<Vec<Part>, String> {
        let failed = |why: &str| format!("Failed to parse batch request, error: {why}");
        let content_type = outer.header("content-type").unwrap_or_default();
        if !content_type.to_ascii_lowercase().starts_with("multipart/mixed") {
            return Err(failed("the content type must be multipart/mixed."));
        }
        let boundary = boundary(content_type).ok_or_else(|| failed("the content type names no boundary."))?;
        let body = std::str::from_utf8(body).map_err(|_| failed("the body is not text."))?;
        let raw = split(body, &boundary).ok_or_else(|| failed("a boundary is missing."))?;
        if raw.is_empty() {
            return Err(failed("there is no part in it."));
        }
        let limit = self.context.number(&BATCH_LIMIT);
        if raw.len() as u64 > limit {
            return Err(format!("The batch request has too many calls: at most {limit} are possible."));
        }
        let read = |text: &&str| read(text).ok_or_else(|| failed("a part is no HTTP request of its own."));
        let parts = raw.iter().map(read).collect::<Result<Vec<Part>, String>>()?;
        let absolute = parts.iter().any(|part| !part.target.starts_with('/'));
        if absolute && self.context.is(&BATCH_ABSOLUTE, "batch") {
            return Err(failed("a part must name a path, without scheme and host."));
        }
        Ok(parts)
    }

    /// A part's status, the bytes of its answer unless a fault lost them, and who asked.
    async fn part(&self, outer: &Call, part: &Part) -> (u16, Option<Vec<u8>>, Option<String>) {
        // The outer headers apply to every part, but those about the content; a part's own header wins.
        let outer = outer.headers.iter().filter(|(name, _)| !name.starts_with("content-"));
        let mut headers: BTreeMap<String, String> = outer.map(|(n, v)| (n.clone(), v.clone())).collect();
        headers.extend(part.headers.clone());
        let call = Call::new(&part.method, &part.target, headers);
        let handle = || {
            if call.is_directory {
                return self.dispatch(&call);
            }
            let name = if part.target.starts_with('/') { "notFoundPage" } else { "badRequest" };
            (self.refuse(&call, name, None), None)
        };
        let (reply, who) = match self.context.part_fault(&part.method, &part.target) {
            // A part holds no credential that could be given back.
            None | Some(Effect::Echo { .. }) => handle(),
            Some(Effect::Special(row)) => (self.refuse(&call, &row, None), None),
            Some(Effect::Answer(answer) | Effect::HandleThenAnswer(answer)) => (dialled(answer), None),
            Some(Effect::LoginPage {}) => (Reply::html(200, "<html><body>Sign in</body></html>".into()), None),
            Some(Effect::Delay { ms } | Effect::Drip { every_ms: ms, .. }) => {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                handle()
            }
            Some(Effect::Truncate { after_bytes }) => {
                let (reply, who) = handle();
                let status = reply.status;
                let mut bytes = reply.into_part(&call);
                bytes.truncate(after_bytes);
                return (status, Some(bytes), who);
            }
            // A part that the answer does not hold: it must be asked for again (§4).
            Some(Effect::Drop {} | Effect::HandleLate { .. } | Effect::HandleOnRelease {} | Effect::Endless {}) => {
                return (0, None, None);
            }
            Some(Effect::HandleThenDrop {}) => {
                let (reply, who) = handle();
                return (reply.status, None, who);
            }
        };
        (reply.status, Some(reply.into_part(&call)), who)
    }
}

fn dialled(answer: crate::faults::Answer) -> Reply {
    let content = match answer.body {
        serde_json::Value::Null => Content::Nothing,
        serde_json::Value::String(text) => Content::Raw { text, content_type: "text/plain; charset=UTF-8".into() },
        value => Content::Json(value),
    };
    let status = if answer.status == 0 { 200 } else { answer.status };
    Reply { status, headers: answer.headers.into_iter().collect(), content }
}

/// The boundary that a content type names, quoted or not.
fn boundary(content_type: &str) -> Option<String> {
    let mut parameters = content_type.split(';').skip(1).filter_map(|one| one.trim().split_once('='));
    let (_, boundary) = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("boundary"))?;
    let boundary = boundary.trim().trim_matches('"');
    (!boundary.is_empty()).then(|| boundary.to_owned())
}

/// The parts between the boundaries; none if the last boundary is missing. Lines may end in CRLF or LF.
fn split<'a>(body: &'a str, boundary: &str) -> Option<Vec<&'a str>> {
    let (mut parts, mut start, mut at) = (Vec::new(), None, 0);
    for line in body.split_inclusive('\n') {
        let end = at + line.len();
        if let Some(rest) = line.trim_end().strip_prefix("--").and_then(|rest| rest.strip_prefix(boundary)) {
            if let Some(start) = start.replace(end) {
                parts.push(&body[start..at]);
            }
            match rest {
                "" => {}
                "--" => return Some(parts),
                _ => return None,
            }
        }
        at = end;
    }
    None
}

/// A part: its own headers, a blank line, and a request.
fn read(text: &str) -> Option<Part> {
    let mut lines = text.lines();
    let own = headers(&mut lines);
    if !own.get("content-type")?.to_ascii_lowercase().starts_with("application/http") {
        return None;
    }
    let id = own.get("content-id").map(|id| id.trim_start_matches('<').trim_end_matches('>').to_owned());
    let mut request = lines.by_ref().find(|line| !line.trim().is_empty())?.split_whitespace();
    let (method, target) = (request.next()?.to_owned(), request.next()?.to_owned());
    // The version at the end of the line may be missing: the guide leaves it out.
    if request.next().is_some_and(|version| !version.starts_with("HTTP/")) || request.next().is_some() {
        return None;
    }
    Some(Part { id, method, target, headers: headers(&mut lines) })
}

/// Headers up to a blank line, by lower-case name; a line that begins with a blank goes on with the one before.
fn headers<'a>(lines: &mut impl Iterator<Item = &'a str>) -> BTreeMap<String, String> {
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in lines {
        if line.trim().is_empty() {
            break;
        }
        match (line.starts_with([' ', '\t']), headers.last_mut(), line.split_once(':')) {
            (true, Some((_, value)), _) => {
                value.push(' ');
                value.push_str(line.trim());
            }
            (false, _, Some((name, value))) => {
                headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
            }
            _ => {}
        }
    }
    headers.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_read_with_either_line_end() {
        let lf = "preamble\n--b7\nContent-Type: application/http\nContent-ID: <u0>\n\nGET /a?b=c HTTP/1.1\nX-Long: one\n two\n\n\n--b7\nContent-Type: application/http\n\nGET /d\n\n--b7--\nepilogue";
        for text in [lf.to_owned(), lf.replace('\n', "\r\n")] {
            let parts: Vec<Part> = split(&text, "b7").unwrap().into_iter().map(|part| read(part).unwrap()).collect();
            assert_eq!((parts[0].id.as_deref(), parts[0].target.as_str()), (Some("u0"), "/a?b=c"));
            assert_eq!(parts[0].headers["x-long"], "one two");
            assert_eq!((parts.len(), parts[1].id.as_deref(), parts[1].target.as_str()), (2, None, "/d"));
        }
        assert_eq!(split("--b7\nx\n", "b7"), None, "no last boundary");
        assert_eq!(read("Content-Type: text/plain\n\nGET /a\n"), None);
        assert_eq!(boundary("multipart/mixed; boundary=\"=_a b\"").as_deref(), Some("=_a b"));
    }
}
