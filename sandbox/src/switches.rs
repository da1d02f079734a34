//! Behaviours that the pages under docs/wire leave open, settable in `world.yaml` and at run time.
//!
//! Owns: the declared switches and how they stand.
//! Leaves to others: what a switch means (its simulator).
//! A newcomer gets wrong: a switch belongs to one simulator; two Jira instances of a world have each their own.

use std::collections::BTreeMap;
use std::sync::RwLock;

#[derive(Debug)]
pub(crate) struct Switch {
    pub name: &'static str,
    pub values: Values,
    /// The page's best guess.
    pub default: &'static str,
    /// What is open, with the section of the page under docs/wire.
    pub about: &'static str,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Values {
    OneOf(&'static [&'static str]),
    Number,
}

#[derive(Debug, Default)]
pub(crate) struct Switches {
    declared: RwLock<BTreeMap<String, Vec<&'static Switch>>>,
    set: RwLock<BTreeMap<(String, &'static str), String>>,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SwitchError {
    #[error("no simulator named {0} has switches; there are: {1}")]
    Simulator(String, String),
    #[error("the simulator {simulator} has no switch {name}; it has: {known}")]
    Name { simulator: String, name: String, known: String },
    #[error("the switch {simulator}.{name} cannot be {value:?}; it takes {takes}")]
    Value { simulator: String, name: String, value: String, takes: String },
}

/// Declares switches, each on a line with its name, its positions, its default and what is open, and the list of them all.
macro_rules! switches {
    ($($name:ident = $word:literal, $values:expr, $default:literal, $about:literal;)*) => {
        $(pub(crate) const $name: $crate::switches::Switch =
            $crate::switches::Switch { name: $word, values: $values, default: $default, about: $about };)*
        pub(crate) static SWITCHES: &[$crate::switches::Switch] = &[$($name),*];
    };
}
pub(crate) use switches;

impl Switches {
    pub(super) fn declare(&self, simulator: &str, switches: Vec<&'static Switch>) {
        self.declared.write().expect(POISON).insert(simulator.to_owned(), switches);
    }

    pub(crate) fn get(&self, simulator: &str, switch: &Switch) -> String {
        let set = self.set.read().expect(POISON);
        set.get(&(simulator.to_owned(), switch.name)).cloned().unwrap_or_else(|| switch.default.to_owned())
    }

    pub(crate) fn set(&self, simulator: &str, name: &str, value: &str) -> Result<(), SwitchError> {
        let declared = self.declared.read().expect(POISON);
        let Some(switches) = declared.get(simulator) else {
            return Err(SwitchError::Simulator(simulator.to_owned(), join(declared.keys().map(String::as_str))));
        };
        let Some(switch) = switches.iter().find(|s| s.name == name) else {
            let known = join(switches.iter().map(|s| s.name));
            return Err(SwitchError::Name { simulator: simulator.to_owned(), name: name.to_owned(), known });
        };
        let (fits, takes) = match switch.values {
            Values::OneOf(words) => (words.contains(&value), join(words.iter().copied())),
            Values::Number => (value.parse::<u64>().is_ok(), "a whole number".to_owned()),
        };
        if !fits {
            let (simulator, name, value) = (simulator.to_owned(), name.to_owned(), value.to_owned());
            return Err(SwitchError::Value { simulator, name, value, takes });
        }
        self.set.write().expect(POISON).insert((simulator.to_owned(), switch.name), value.to_owned());
        Ok(())
    }

    /// Every switch with how it stands: simulator, switch, value.
    pub(crate) fn all(&self) -> Vec<(String, &'static Switch, String)> {
        let declared = self.declared.read().expect(POISON);
        let each = declared.iter().flat_map(|(simulator, switches)| switches.iter().map(move |s| (simulator, s)));
        each.map(|(simulator, switch)| (simulator.clone(), *switch, self.get(simulator, switch))).collect()
    }
}

const POISON: &str = "no code panics while it holds the switches";

fn join<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    switches! {
        ORDER = "order", Values::OneOf(&["asked", "shuffled"]), "asked", "";
        PAGE = "page", Values::Number, "999", "";
    }

    #[test]
    fn only_what_is_declared_can_be_set() {
        let switches = Switches::default();
        switches.declare("graph", SWITCHES.iter().collect());
        assert_eq!(switches.get("graph", &ORDER), "asked");
        switches.set("graph", "order", "shuffled").unwrap();
        assert_eq!(switches.get("graph", &ORDER), "shuffled");
        assert_eq!(switches.get("other", &ORDER), "asked", "another simulator has its own");
        for (simulator, name, value, says) in [
            ("grap", "order", "asked", "there are: graph"),
            ("graph", "ordre", "asked", "it has: order, page"),
            ("graph", "order", "up", "it takes asked, shuffled"),
            ("graph", "page", "-1", "it takes a whole number"),
        ] {
            let error = switches.set(simulator, name, value).unwrap_err().to_string();
            assert!(error.ends_with(says), "{error}");
        }
    }
}
