//! The `fields` parameter: which parts of an answer are wanted.
//!
//! Owns: parsing `a,b(c,d),e/f`, applying it, refusing names that the resource does not have.
//! Leaves to others: the resources.
//! A newcomer gets wrong: `nextPageToken` is a field like any other. Who does not ask for it gets the first page alone.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// What is wanted of a value: everything, or these members of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mask {
    All,
    Some(BTreeMap<String, Mask>),
}

impl Mask {
    /// Reads a mask; the part that cannot be read comes back.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut rest = text;
        let mask = list(&mut rest)?;
        if rest.is_empty() { Ok(mask) } else { Err(rest.to_owned()) }
    }

    /// The parts of `value` that are wanted. A mask on a list counts for each of its items.
    pub(super) fn apply(&self, value: &Value) -> Value {
        match (self, value) {
            (Self::All, _) => value.clone(),
            (_, Value::Array(items)) => items.iter().map(|item| self.apply(item)).collect(),
            (Self::Some(wanted), Value::Object(members)) => {
                let kept = members.iter().filter_map(|(name, value)| {
                    let mask = wanted.get(name).or_else(|| wanted.get("*"))?;
                    Some((name.clone(), mask.apply(value)))
                });
                Value::Object(kept.collect::<Map<_, _>>())
            }
            (Self::Some(_), _) => value.clone(),
        }
    }

    /// The first name that the resource does not have. `known` lists the paths of a resource; what stands below a path
    /// that ends in `/*` is not looked at.
    pub(super) fn unknown(&self, known: &[&str]) -> Option<String> {
        self.walk("", known)
    }

    fn walk(&self, prefix: &str, known: &[&str]) -> Option<String> {
        let Self::Some(wanted) = self else { return None };
        let open = |path: &str| known.iter().any(|k| k.strip_suffix("/*") == Some(path));
        wanted.iter().find_map(|(name, inner)| {
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
            let is_known = name == "*" || open(&path) || known.contains(&path.as_str());
            if !is_known {
                return Some(path);
            }
            if open(&path) { None } else { inner.walk(&path, known) }
        })
    }
}

fn list(rest: &mut &str) -> Result<Mask, String> {
    let mut wanted = BTreeMap::new();
    loop {
        let (name, mask) = path(rest)?;
        merge(&mut wanted, name, mask);
        match rest.strip_prefix(',') {
            Some(more) => *rest = more,
            None => return Ok(Mask::Some(wanted)),
        }
    }
}

fn path(rest: &mut &str) -> Result<(String, Mask), String> {
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "_*$@.-".contains(c))).unwrap_or(rest.len());
    let (name, more) = rest.split_at(end);
    if name.is_empty() {
        return Err((*rest).to_owned());
    }
    *rest = more;
    if let Some(more) = rest.strip_prefix('/') {
        *rest = more;
        let (inner, mask) = path(rest)?;
        return Ok((name.to_owned(), Mask::Some(BTreeMap::from([(inner, mask)]))));
    }
    let Some(more) = rest.strip_prefix('(') else { return Ok((name.to_owned(), Mask::All)) };
    *rest = more;
    let mask = list(rest)?;
    *rest = rest.strip_prefix(')').ok_or_else(|| (*rest).to_owned())?;
    Ok((name.to_owned(), mask))
}

/// Two wishes for one member are both granted.
fn merge(wanted: &mut BTreeMap<String, Mask>, name: String, mask: Mask) {
    match (wanted.remove(&name), mask) {
        (Some(Mask::Some(mut had)), Mask::Some(more)) => {
            more.into_iter().for_each(|(name, mask)| merge(&mut had, name, mask));
            wanted.insert(name, Mask::Some(had));
        }
        (Some(_), _) => drop(wanted.insert(name, Mask::All)),
        (None, mask) => drop(wanted.insert(name, mask)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_mask_keeps_what_it_names() {
        let value = json!({ "a": 1, "n": "t", "users": [{ "id": "1", "name": { "x": 1, "y": 2 } }, { "id": "2" }] });
        for (mask, wanted) in [
            ("n", json!({ "n": "t" })),
            ("*", value.clone()),
            ("users(id)", json!({ "users": [{ "id": "1" }, { "id": "2" }] })),
            ("a,users(name/x)", json!({ "a": 1, "users": [{ "name": { "x": 1 } }, {}] })),
            ("users/id,users/name(y)", json!({ "users": [{ "id": "1", "name": { "y": 2 } }, { "id": "2" }] })),
        ] {
            assert_eq!(Mask::parse(mask).unwrap().apply(&value), wanted, "{mask}");
        }
    }

    #[test]
    fn what_cannot_be_read_or_does_not_exist_is_named() {
        for (mask, wanted) in [("", ""), ("a,", ""), ("users(id", ""), ("a)", ")"), ("a b", " b")] {
            assert_eq!(Mask::parse(mask).unwrap_err(), wanted, "{mask}");
        }
        let known = ["nextPageToken", "users", "users/id", "users/name/*"];
        for (mask, wanted) in [
            ("nextPageToken,users(id,name/given)", None),
            ("users(*)", None),
            ("users(photo)", Some("users/photo")),
            ("next", Some("next")),
        ] {
            assert_eq!(Mask::parse(mask).unwrap().unknown(&known).as_deref(), wanted, "{mask}");
        }
    }
}
