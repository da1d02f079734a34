//! XML-RPC on the wire.
//!
//! Owns: reading a call, writing a response or a fault.
//! Leaves to others: the methods (`rpc`).
//! A newcomer gets wrong: a `<value>` without a type inside is a string; and a type counts, for Java picks the method by it.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use quick_xml::Reader;
use quick_xml::escape::escape;
use quick_xml::events::Event;
use serde_json::Value;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Param {
    Text(String),
    Number(i64),
    Flag(bool),
    /// Bytes, base64 on the wire.
    Bytes(Vec<u8>),
    /// Something that no method here takes: an array, a struct, a date, a double.
    Other,
}

#[derive(Debug, PartialEq)]
pub(super) struct MethodCall {
    /// With its prefix, such as `confluence2.login`.
    pub name: String,
    pub params: Vec<Param>,
}

pub(super) fn read(body: &[u8]) -> Result<MethodCall, String> {
    let text = std::str::from_utf8(body).map_err(|fault| fault.to_string())?;
    let mut reader = Reader::from_str(text);
    let mut call = MethodCall { name: String::new(), params: Vec::new() };
    let (mut path, mut held, mut kind): (Vec<String>, String, Option<String>) = (Vec::new(), String::new(), None);
    loop {
        match reader.read_event().map_err(|fault| fault.to_string())? {
            Event::Start(tag) => {
                let name = tag.name().as_ref().to_owned();
                let inside_value = path.last().is_some_and(|last| last == "value");
                if inside_value && depth(&path) == 1 {
                    kind = Some(name.clone());
                }
                if name == "value" && depth(&path) == 0 || inside_value || name == "methodName" {
                    held.clear();
                }
                path.push(name);
            }
            Event::Empty(tag) => {
                let name = tag.name().as_ref().to_owned();
                match (name.as_str(), depth(&path)) {
                    ("value", 0) => call.params.push(Param::Text(String::new())),
                    (_, 1) => kind = Some(name),
                    _ => {}
                }
            }
            // Between the end of the type and the end of the value there is nothing but layout.
            Event::Text(_) if kind.is_some() && path.last().is_some_and(|last| last == "value") => {}
            Event::Text(piece) => held.push_str(&piece.xml10_content()),
            Event::CData(piece) => held.push_str(&piece.xml10_content()),
            Event::GeneralRef(name) => held.push_str(&resolved(&name)?),
            Event::End(_) => {
                let name = path.pop().unwrap_or_default();
                if name == "methodName" {
                    held.trim().clone_into(&mut call.name);
                }
                if name == "value" && depth(&path) == 0 {
                    call.params.push(typed(kind.take().as_deref(), &held)?);
                    held.clear();
                }
            }
            Event::Eof if path.is_empty() && !call.name.is_empty() => return Ok(call),
            Event::Eof => return Err("the call ends in the middle".to_owned()),
            _ => {}
        }
    }
}

/// In how many values the reader is.
fn depth(path: &[String]) -> usize {
    path.iter().filter(|name| *name == "value").count()
}

fn resolved(name: &quick_xml::events::BytesRef<'_>) -> Result<String, String> {
    if let Some(letter) = name.resolve_char_ref().map_err(|fault| fault.to_string())? {
        return Ok(letter.to_string());
    }
    let name: &str = name;
    let known = [("lt", "<"), ("gt", ">"), ("amp", "&"), ("quot", "\""), ("apos", "'")];
    let found = known.iter().find(|(word, _)| *word == name);
    found.map(|(_, letter)| (*letter).to_owned()).ok_or_else(|| format!("unknown entity {name}"))
}

fn typed(kind: Option<&str>, text: &str) -> Result<Param, String> {
    Ok(match kind {
        None | Some("string") => Param::Text(text.to_owned()),
        Some("int" | "i4") => Param::Number(text.trim().parse().map_err(|_| format!("{text} is no int"))?),
        Some("boolean") => Param::Flag(text.trim() == "1"),
        Some("base64") => Param::Bytes(decoded(text).ok_or("the base64 cannot be read")?),
        Some(_) => Param::Other,
    })
}

/// Base64 as Java's old decoders read it: blanks and missing padding do not matter.
pub(super) fn decoded(text: &str) -> Option<Vec<u8>> {
    let lenient = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let digits: String = text.split_ascii_whitespace().collect();
    GeneralPurpose::new(&STANDARD, lenient).decode(digits).ok()
}

/// A response that holds one value.
pub(super) fn response(value: &Value) -> String {
    format!("{HEAD}<methodResponse><params><param>{}</param></params></methodResponse>", written(value))
}

/// A fault. The code is always 0.
pub(super) fn fault(text: &str) -> String {
    format!(
        "{HEAD}<methodResponse><fault><value><struct><member><name>faultString</name><value>{}</value></member>\
         <member><name>faultCode</name><value><int>0</int></value></member></struct></value></fault></methodResponse>",
        escape(text)
    )
}

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";

/// Longs travel as strings, so a number here is never one.
fn written(value: &Value) -> String {
    let inner = match value {
        Value::Null => String::new(),
        Value::Bool(flag) => format!("<boolean>{}</boolean>", u8::from(*flag)),
        Value::Number(number) => format!("<int>{number}</int>"),
        // Apache's writer leaves the type of a string out.
        Value::String(text) => escape(text.as_str()).into_owned(),
        Value::Array(all) => format!("<array><data>{}</data></array>", all.iter().map(written).collect::<String>()),
        Value::Object(members) => {
            let account =
                |(name, value): (&String, &Value)| format!("<member><name>{name}</name>{}</member>", written(value));
            format!("<struct>{}</struct>", members.iter().map(account).collect::<String>())
        }
    };
    format!("<value>{inner}</value>")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn param(value: &str) -> Result<MethodCall, String> {
        let body = format!(
            "<?xml version=\"1.0\"?>\n<methodCall><methodName>m</methodName>\n<params>\n<param>{value}</param></params></methodCall>"
        );
        read(body.as_bytes())
    }

    #[test]
    fn every_way_to_write_a_parameter() {
        let text = |text: &str| Param::Text(text.to_owned());
        let table = [
            ("<value><string>jdoe</string></value>", text("jdoe")),
            ("<value>\n<string> j </string>\n</value>", text(" j ")),
            ("<value>jdoe</value>", text("jdoe")),
            ("<value></value>", text("")),
            ("<value/>", text("")),
            ("<value><string></string></value>", text("")),
            ("<value><string/></value>", text("")),
            ("<value><string>a&amp;b&lt;&#228;</string></value>", text("a&b<ä")),
            ("<value><string><![CDATA[<x>]]></string></value>", text("<x>")),
            ("<value><int>42</int></value>", Param::Number(42)),
            ("<value><boolean>1</boolean></value>", Param::Flag(true)),
            ("<value><base64>\naGV5\n</base64></value>", Param::Bytes(b"hey".to_vec())),
            ("<value><array><data><value>x</value></data></array></value>", Param::Other),
        ];
        for (value, wanted) in table {
            let call = param(value).unwrap_or_else(|fault| panic!("{value}: {fault}"));
            assert_eq!((call.name.as_str(), &call.params[..]), ("m", &[wanted][..]), "{value}");
        }
        for broken in ["<value><int>x</int></value>", "<value><base64>*</base64></value>", "<value>&no;</value>"] {
            assert!(param(broken).is_err(), "{broken}");
        }
        assert!(read(b"<methodCall><methodName>m</methodName>").is_err());
        assert!(read(b"hello").is_err());
    }
}
