//! docs/reference.md: every key of the pipeline file, made from the schema and so from the types that read it.

use std::fmt::Write as _;

use serde_json::Value;

use super::{folder, schema};

#[test]
fn the_reference_is_fresh() {
    let path = folder("docs/reference.md");
    let fresh = reference(&schema());
    if std::env::var_os("RENEW_SCHEMA").is_some() {
        std::fs::write(&path, &fresh).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == fresh, "docs/reference.md is stale: RENEW_SCHEMA=1 cargo test --lib pipeline::");
}

fn reference(schema: &Value) -> String {
    let mut out = String::from(
        "# Every key\n\nMade from the types that read a pipeline file, as its JSON Schema is: `RENEW_SCHEMA=1 cargo test --lib pipeline::` writes this page anew, and a \
         test fails while it is stale. [pipelines/README.md](../pipelines/README.md) explains and shows examples.\n\n## The file\n",
    );
    element(&mut out, schema);
    let elements = schema["$defs"].as_object().unwrap();
    for (name, one) in elements {
        _ = writeln!(out, "\n## {name}\n\n{}", prose(one));
        element(&mut out, one);
    }
    out
}

/// A table of its keys, or what may be chosen.
fn element(out: &mut String, of: &Value) {
    let required: Vec<_> = of["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if let Some(keys) = of["properties"].as_object().filter(|keys| !keys.is_empty()) {
        out.push_str("\n| key | value | if left out | meaning |\n|---|---|---|---|\n");
        for (key, value) in keys {
            let default = match (required.contains(&key.as_str()), value.get("default")) {
                (true, _) => "not allowed".to_owned(),
                (_, Some(default)) => format!("`{}`", cell(&default.to_string())),
                _ => String::new(),
            };
            _ = writeln!(out, "| `{key}` | {} | {default} | {} |", value_of(value), prose(value));
        }
    }
    if of.get("properties").is_none() {
        _ = writeln!(out, "\nValue: {}.", value_of(of));
    }
    for choices in [&of["oneOf"], &of["anyOf"]] {
        for choice in choices.as_array().into_iter().flatten() {
            if let Some((key, value)) = choice["properties"].as_object().and_then(|keys| keys.iter().next())
                && value.get("$ref").is_some()
            {
                _ = writeln!(out, "- `{key}`: {} — {}", value_of(value), prose(choice));
            }
        }
    }
}

fn value_of(value: &Value) -> String {
    if let Some(name) = value["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(word) = value.get("const") {
        return format!("`{}`", cell(word.to_string().trim_matches('"')));
    }
    for choices in [&value["oneOf"], &value["anyOf"]] {
        if let Some(choices) = choices.as_array() {
            // A value from outside, `${…}`, may stand in place of each.
            let from_outside =
                |choice: &&Value| choice["pattern"].as_str().is_some_and(|pattern| pattern.contains("\\$\\{"));
            let mut words: Vec<_> = choices.iter().filter(|choice| !from_outside(choice)).map(value_of).collect();
            words.dedup();
            return words.join(" or ");
        }
    }
    match value["type"].as_str() {
        Some("array") => format!("list of {}", value_of(&value["items"])),
        Some("object") => match value.get("additionalProperties").filter(|below| below.is_object()) {
            Some(below) => format!("names, each with {}", value_of(below)),
            None => "keys".to_owned(),
        },
        Some(kind) => kind.to_owned(),
        None => "value".to_owned(),
    }
}

fn prose(value: &Value) -> String {
    cell(value["description"].as_str().unwrap_or_default())
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
