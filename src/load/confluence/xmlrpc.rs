//! XML-RPC as Confluence speaks it: a call as bytes, an answer as a value or a fault.
//!
//! Owns: writing and reading the XML, strictly: no document type, no entity but the five of XML, no unknown element.
//! Leaves to others: which call to make and what a fault means (`remote_api.rs`).
//! A newcomer gets wrong: a failure comes with status 200. Only a body that is read to its end says yes or no.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use quick_xml::Reader;
use quick_xml::escape::escape;
use quick_xml::events::Event;

/// Values inside one another; Confluence's own structs go two deep.
const DEPTH: usize = 16;
/// Tags and texts of one answer. Whoever sends more is not Confluence.
const TOKENS: usize = 20_000;

/// A parameter of a call.
#[derive(Clone, Copy)]
pub(super) enum Parameter<'a> {
    Text(&'a str),
    Bytes(&'a [u8]),
    Flag(bool),
}

/// A value of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum XmlRpcValue {
    Boolean(bool),
    /// Strings, and every other scalar as it is written.
    Text(String),
    Struct(Vec<(String, XmlRpcValue)>),
    Array(Vec<XmlRpcValue>),
    Nothing,
}

impl XmlRpcValue {
    /// A member of a struct as text.
    pub(super) fn member(&self, name: &str) -> Option<&str> {
        let Self::Struct(members) = self else { return None };
        members.iter().find(|(key, _)| key == name).and_then(|(_, value)| match value {
            Self::Text(text) => Some(text.as_str()),
            _ => None,
        })
    }
}

/// A whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Value(XmlRpcValue),
    /// The server's words.
    Fault(String),
}

/// Why a body is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum XmlRpcFault {
    #[error("no XML that can be read")]
    Xml,
    #[error("a document type or a processing instruction, which no answer has")]
    Prolog,
    #[error("an entity that is not XML's own")]
    Entity,
    #[error("more values than any answer has")]
    TooMuch,
    #[error("XML, but no answer to a method call")]
    Shape,
}

/// The body of a call; `None` if a text holds a character that XML cannot hold.
pub(super) fn request(method: &str, parameters: &[Parameter<'_>]) -> Option<Bytes> {
    let mut body =
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<methodCall><methodName>{method}</methodName><params>");
    for parameter in parameters {
        body.push_str("<param><value>");
        match parameter {
            Parameter::Text(text) if text.chars().all(fits) => {
                body.push_str("<string>");
                body.push_str(&escape(*text));
                body.push_str("</string>");
            }
            Parameter::Text(_) => return None,
            Parameter::Flag(flag) => body.push_str(if *flag { "<boolean>1</boolean>" } else { "<boolean>0</boolean>" }),
            Parameter::Bytes(bytes) => {
                body.push_str("<base64>");
                STANDARD.encode_string(bytes, &mut body);
                body.push_str("</base64>");
            }
        }
        body.push_str("</value></param>");
    }
    body.push_str("</params></methodCall>\n");
    Some(Bytes::from(body))
}

/// The characters of XML 1.0 without those that a reader may change.
fn fits(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{FFFE}' | '\u{FFFF}')
}

/// Reads an answer to its end.
pub(super) fn read(body: &[u8]) -> Result<Reply, XmlRpcFault> {
    let text = std::str::from_utf8(body).map_err(|_| XmlRpcFault::Xml)?;
    let tokens = tokens(text.trim_start_matches('\u{FEFF}'))?;
    let mut scan = Scan { rest: &tokens };
    scan.open("methodResponse")?;
    let reply = if scan.next_is_open("fault") {
        scan.open("fault")?;
        let value = scan.value(0)?;
        scan.close("fault")?;
        let words = value.member("faultString").ok_or(XmlRpcFault::Shape)?;
        Reply::Fault(words.to_owned())
    } else {
        scan.open("params")?;
        scan.open("param")?;
        let value = scan.value(0)?;
        scan.close("param")?;
        scan.close("params")?;
        Reply::Value(value)
    };
    scan.close("methodResponse")?;
    if scan.rest.is_empty() { Ok(reply) } else { Err(XmlRpcFault::Shape) }
}

#[derive(Debug, PartialEq, Eq)]
enum XmlToken {
    Open(String),
    Close(String),
    Text(String),
}

/// Tags and texts; texts of nothing but space are kept only between two tags of the same element.
fn tokens(text: &str) -> Result<Vec<XmlToken>, XmlRpcFault> {
    let mut reader = Reader::from_str(text);
    let mut tokens: Vec<XmlToken> = Vec::new();
    loop {
        if tokens.len() > TOKENS {
            return Err(XmlRpcFault::TooMuch);
        }
        match reader.read_event().map_err(|_| XmlRpcFault::Xml)? {
            Event::Start(tag) => tokens.push(XmlToken::Open(tag.name().as_ref().to_owned())),
            Event::End(tag) => tokens.push(XmlToken::Close(tag.name().as_ref().to_owned())),
            Event::Empty(tag) => {
                let name: String = tag.name().as_ref().to_owned();
                tokens.push(XmlToken::Open(name.clone()));
                tokens.push(XmlToken::Close(name));
            }
            Event::Text(text) => add(&mut tokens, &text.xml10_content()),
            Event::CData(text) => add(&mut tokens, &text.xml10_content()),
            Event::GeneralRef(reference) => {
                let resolved = match reference.resolve_char_ref().map_err(|_| XmlRpcFault::Entity)? {
                    Some(c) => c,
                    None => match reference.xml10_content().as_ref() {
                        "lt" => '<',
                        "gt" => '>',
                        "amp" => '&',
                        "quot" => '"',
                        "apos" => '\'',
                        _ => return Err(XmlRpcFault::Entity),
                    },
                };
                add(&mut tokens, resolved.encode_utf8(&mut [0; 4]));
            }
            Event::Comment(_) => {}
            Event::Decl(_) if tokens.is_empty() => {}
            Event::Decl(_) | Event::PI(_) | Event::DocType(_) => return Err(XmlRpcFault::Prolog),
            Event::Eof => return Ok(significant(tokens)),
        }
    }
}

fn add(tokens: &mut Vec<XmlToken>, more: &str) {
    match tokens.last_mut() {
        Some(XmlToken::Text(text)) => text.push_str(more),
        _ => tokens.push(XmlToken::Text(more.to_owned())),
    }
}

/// Without the space that only indents.
fn significant(tokens: Vec<XmlToken>) -> Vec<XmlToken> {
    let mut kept: Vec<XmlToken> = Vec::with_capacity(tokens.len());
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let indents = match &token {
            XmlToken::Text(text) if text.trim().is_empty() => {
                !matches!((kept.last(), tokens.peek()), (Some(XmlToken::Open(open)), Some(XmlToken::Close(close))) if open == close)
            }
            _ => false,
        };
        if !indents {
            kept.push(token);
        }
    }
    kept
}

struct Scan<'a> {
    rest: &'a [XmlToken],
}

impl<'a> Scan<'a> {
    fn next(&mut self) -> Result<&'a XmlToken, XmlRpcFault> {
        let (first, rest) = self.rest.split_first().ok_or(XmlRpcFault::Shape)?;
        self.rest = rest;
        Ok(first)
    }

    fn next_is_open(&self, name: &str) -> bool {
        matches!(self.rest.first(), Some(XmlToken::Open(open)) if open == name)
    }

    fn open(&mut self, name: &str) -> Result<(), XmlRpcFault> {
        match self.next()? {
            XmlToken::Open(open) if open == name => Ok(()),
            _ => Err(XmlRpcFault::Shape),
        }
    }

    fn close(&mut self, name: &str) -> Result<(), XmlRpcFault> {
        match self.next()? {
            XmlToken::Close(close) if close == name => Ok(()),
            _ => Err(XmlRpcFault::Shape),
        }
    }

    /// `<name>text</name>`, past its opening tag.
    fn text(&mut self, name: &str) -> Result<String, XmlRpcFault> {
        let text = match self.rest.first() {
            Some(XmlToken::Text(text)) => {
                self.next()?;
                text.clone()
            }
            _ => String::new(),
        };
        self.close(name)?;
        Ok(text)
    }

    fn value(&mut self, depth: usize) -> Result<XmlRpcValue, XmlRpcFault> {
        if depth > DEPTH {
            return Err(XmlRpcFault::TooMuch);
        }
        self.open("value")?;
        let value = match self.next()? {
            // A value without a type is a string.
            XmlToken::Text(text) => XmlRpcValue::Text(text.clone()),
            XmlToken::Close(name) if name == "value" => return Ok(XmlRpcValue::Text(String::new())),
            XmlToken::Close(_) => return Err(XmlRpcFault::Shape),
            XmlToken::Open(kind) => self.typed(kind, depth)?,
        };
        self.close("value")?;
        Ok(value)
    }

    fn typed(&mut self, kind: &str, depth: usize) -> Result<XmlRpcValue, XmlRpcFault> {
        match kind {
            "boolean" => match self.text(kind)?.trim() {
                "1" => Ok(XmlRpcValue::Boolean(true)),
                "0" => Ok(XmlRpcValue::Boolean(false)),
                _ => Err(XmlRpcFault::Shape),
            },
            "string" | "int" | "i4" | "i8" | "ex:i8" | "double" | "dateTime.iso8601" | "base64" => {
                Ok(XmlRpcValue::Text(self.text(kind)?))
            }
            "nil" | "ex:nil" => {
                self.close(kind)?;
                Ok(XmlRpcValue::Nothing)
            }
            "struct" => {
                let mut members = Vec::new();
                while self.next_is_open("member") {
                    self.open("member")?;
                    self.open("name")?;
                    let name = self.text("name")?;
                    let value = self.value(depth + 1)?;
                    self.close("member")?;
                    members.push((name, value));
                }
                self.close("struct")?;
                Ok(XmlRpcValue::Struct(members))
            }
            "array" => {
                let mut values = Vec::new();
                self.open("data")?;
                while self.next_is_open("value") {
                    values.push(self.value(depth + 1)?);
                }
                self.close("data")?;
                self.close("array")?;
                Ok(XmlRpcValue::Array(values))
            }
            _ => Err(XmlRpcFault::Shape),
        }
    }
}

/// Any body: what is read can be walked through, and holds no more than was sent.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz(body: &[u8]) -> impl std::hash::Hash + use<> {
    fn size(value: &XmlRpcValue, depth: usize) -> usize {
        assert!(depth <= DEPTH + 1, "deeper than allowed");
        match value {
            XmlRpcValue::Boolean(_) | XmlRpcValue::Nothing => 1,
            XmlRpcValue::Text(text) => text.len() + 1,
            XmlRpcValue::Struct(members) => {
                members.iter().map(|(name, value)| name.len() + size(value, depth + 1)).sum()
            }
            XmlRpcValue::Array(values) => values.iter().map(|value| size(value, depth + 1)).sum(),
        }
    }
    let kind = match read(body) {
        Ok(Reply::Value(value)) => {
            assert!(size(&value, 0) <= body.len(), "more than was sent");
            format!("{:?}", std::mem::discriminant(&value))
        }
        Ok(Reply::Fault(words)) => format!("fault {}", words.is_empty()),
        Err(odd) => odd.to_string(),
    };
    // What comes back may go out again: as text it is sent whole, or not at all.
    let text = String::from_utf8_lossy(body);
    let sent = request("m", &[Parameter::Text(&text), Parameter::Bytes(body)]);
    assert!(sent.as_ref().is_none_or(|sent| tokens(&String::from_utf8_lossy(sent)).is_ok()), "a call that is no XML");
    (kind, sent.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(inside: &str) -> String {
        format!("<?xml version=\"1.0\"?><methodResponse>{inside}</methodResponse>")
    }

    fn value(inside: &str) -> String {
        response(&format!("<params><param>{inside}</param></params>"))
    }

    fn text(text: &str) -> Reply {
        Reply::Value(XmlRpcValue::Text(text.into()))
    }

    #[test]
    fn a_call_escapes_what_it_is_given() {
        let name = "a<b>&\"c' +é]]>";
        let body = request("confluence2.x", &[Parameter::Text(name), Parameter::Bytes(&[0, 255])]).unwrap();
        let body = std::str::from_utf8(&body).unwrap();
        assert!(body.contains("<string>a&lt;b&gt;&amp;&quot;c&apos; +é]]&gt;</string>"), "{body}");
        assert!(body.contains("<base64>AP8=</base64>"), "{body}");
        for name in ["a\u{0}b", "a\nb", "a\u{1b}", "a\u{ffff}"] {
            assert_eq!(request("m", &[Parameter::Text(name)]), None, "{name:?}");
        }
    }

    #[test]
    fn answers_are_read_in_every_documented_shape() {
        let fault = "<fault><value><struct><member><name>faultCode</name><value><int>0</int></value></member>\
            <member><name>faultString</name><value>java.lang.Exception: no &lt;user&gt; &#233;</value></member>\
            </struct></value></fault>";
        let info =
            "<value><struct>\n <member>\n  <name>majorVersion</name>\n  <value>8</value></member></struct></value>";
        let table = [
            (value("<value><boolean>1</boolean></value>"), Reply::Value(XmlRpcValue::Boolean(true))),
            (value("\n  <value>\n <boolean>0</boolean>\n</value>\n"), Reply::Value(XmlRpcValue::Boolean(false))),
            (value("<value><string>a &amp; b</string></value>"), text("a & b")),
            (value("<value>plain</value>"), text("plain")),
            (value("<value/>"), text("")),
            (value("<value><string/></value>"), text("")),
            (value("<value><string> </string></value>"), text(" ")),
            (value("<value><string><![CDATA[<x>]]></string></value>"), text("<x>")),
            (value("<value><nil/></value>"), Reply::Value(XmlRpcValue::Nothing)),
            (
                value("<value><array><data><value><int>4</int></value></data></array></value>"),
                Reply::Value(XmlRpcValue::Array(vec![XmlRpcValue::Text("4".into())])),
            ),
            (
                value(info),
                Reply::Value(XmlRpcValue::Struct(vec![("majorVersion".into(), XmlRpcValue::Text("8".into()))])),
            ),
            (response(fault), Reply::Fault("java.lang.Exception: no <user> é".into())),
        ];
        for (body, expected) in table {
            assert_eq!(read(body.as_bytes()), Ok(expected), "{body}");
        }
    }

    #[test]
    fn hostile_and_broken_bodies_are_refused() {
        let bomb = format!("<!DOCTYPE a [<!ENTITY x \"xxxx\">]>{}", value("<value>&x;</value>"));
        let deep = format!("{}{}", "<value><array><data>".repeat(40), "</data></array></value>".repeat(40));
        let long = "<value>1</value>".repeat(TOKENS);
        let table = [
            ("".to_owned(), XmlRpcFault::Shape),
            ("no xml".to_owned(), XmlRpcFault::Shape),
            ("<html><body>log in</body></html>".to_owned(), XmlRpcFault::Shape),
            (bomb, XmlRpcFault::Prolog),
            (value("<value>&x;</value>"), XmlRpcFault::Entity),
            (value("<value>&#xD800;</value>"), XmlRpcFault::Entity),
            (value("<value><?php x ?></value>"), XmlRpcFault::Prolog),
            (value(&deep), XmlRpcFault::TooMuch),
            (value(&format!("<value><array><data>{long}</data></array></value>")), XmlRpcFault::TooMuch),
            (value("<value><boolean>yes</boolean></value>"), XmlRpcFault::Shape),
            (value("<value><boolean>1</boolean>"), XmlRpcFault::Xml),
            (value("<value><wide>1</wide></value>"), XmlRpcFault::Shape),
            (value("<value><boolean>1</boolean></value><value/>"), XmlRpcFault::Shape),
            (format!("{}<x/>", value("<value/>")), XmlRpcFault::Shape),
            (response(""), XmlRpcFault::Shape),
            (response("<fault><value>no struct</value></fault>"), XmlRpcFault::Shape),
            ("<methodResponse><params><param><value><boolean>1</boolean></value>".to_owned(), XmlRpcFault::Shape),
        ];
        for (body, expected) in table {
            let start: String = body.chars().take(90).collect();
            assert_eq!(read(body.as_bytes()), Err(expected), "{start}");
        }
        assert_eq!(read(&[0xFF, 0xFE, b'<']), Err(XmlRpcFault::Xml));
    }
}
