//! `extract`: where people and photos come from, in order of preference.
//!
//! Owns: what the kinds of source have in common, keys and all. Leaves to others: which there are (`kinds`), each kind's own keys (one
//! file a kind).
//! A newcomer gets wrong: `users` hides nobody; it marks who is in scope, and ambiguity is judged over everybody.

use std::path::PathBuf;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::declare::{element, words};
use super::fault::{FileFault, Span};
use super::read::{At, List, Reader, Setting};
use super::scalar::{Flag, Name, Word, scalar_schema};
use super::secret::before_address;
use super::settle::Settle;
use super::tree::{Id, Kind};
use crate::model::{PersonKey, Place, SourceId};
use crate::nearest::nearest;
use crate::settings::{self, Pattern, Patterns, Placed, Provider, UserType};
use crate::table::odd_sign;

/// A source: the keys of every one around those of its kind; `at a server` are `rate` and `http`, too.
macro_rules! source {
    ($(#[doc = $doc:literal])+ $name:ident = $word:literal { $($own:tt)+ }) => {
        $crate::pipeline::source::source! { $(#[doc = $doc])+ $name = $word { $($own)+ } {} |_| (None, None) }
    };
    ($(#[doc = $doc:literal])+ $name:ident = $word:literal at a server { $($own:tt)+ }) => {
        $crate::pipeline::source::source! {
            $(#[doc = $doc])+
            $name = $word {
                $($own)+
            } {
                /// A name under `rates`.
                rate: $crate::pipeline::scalar::Name = Else("default"),
                /// A name under `http`.
                http: $crate::pipeline::scalar::Name = Else("default"),
            } |keys| (Some(&keys.rate), Some(&keys.http))
        }
    };
    ($(#[doc = $doc:literal])+ $name:ident = $word:literal { $($own:tt)+ } { $($last:tt)* } $reached:expr) => {
        $crate::pipeline::declare::element! {
            $(#[doc = $doc])+
            $name {
                /// The name of the element, unique among the sources.
                id: $crate::pipeline::scalar::Name = Else($word),
                /// `false`: its people are left alone, pictures of earlier runs included.
                enabled: $crate::pipeline::scalar::Flag = Else("true"),
                $($own)+
                $($last)*
            }
        }

        impl $crate::pipeline::source::SourceKeys for $name {
            fn shared(&self) -> $crate::pipeline::source::SourceCommon<'_> {
                let reached: fn(&Self) -> $crate::pipeline::source::RateAndHttp<'_> = $reached;
                let (rate, http) = reached(self);
                $crate::pipeline::source::SourceCommon { id: &self.id, enabled: &self.enabled, rate, http }
            }
        }
    };
}

pub(super) use source;

/// The keys of every source.
pub(super) struct SourceCommon<'e> {
    /// The name of the element; unique among the sources.
    pub(super) id: &'e At<Name>,
    /// Whether anything of it is used.
    pub(super) enabled: &'e At<Flag>,
    /// `None`: there is no server behind it.
    pub(super) rate: Option<&'e At<Name>>,
    pub(super) http: Option<&'e At<Name>>,
}

/// `rate` and `http`.
pub(super) type RateAndHttp<'e> = (Option<&'e At<Name>>, Option<&'e At<Name>>);

/// What `source!` declares.
pub(super) trait SourceKeys {
    fn shared(&self) -> SourceCommon<'_>;
}

/// What every kind of source can do.
pub(super) trait SourceSettings: SourceKeys {
    /// Whether people of this kind of source can have that key at all.
    fn fills(&self, _key: PersonKey) -> bool {
        true
    }

    /// The folder that it reads from, where that is known: in one spelling, and where it stands.
    fn folder(&self) -> Option<(PathBuf, &Span)> {
        None
    }

    /// Judges the keys of the kind.
    fn provider(&self, reader: &mut Reader<'_>) -> Option<Provider>;

    /// Judges what stands there and looks everything up.
    fn settle(&self, reader: &mut Reader<'_>, names: &DeclaredNames, place: Place) -> Option<settings::Source> {
        let shared = self.shared();
        // Everything is judged before anything is asked for, so that no fault hides another.
        let (rate, http) = (names.rate(reader, shared.rate), names.http(reader, shared.http));
        let provider = self.provider(reader);
        Some(settings::Source {
            id: SourceId::new(shared.id.get()?.0.clone()),
            place,
            rate: rate?,
            http: http?,
            provider: Some(provider?),
        })
    }
}

/// The names that an element may point to.
pub(super) struct DeclaredNames {
    pub(super) rates: Vec<String>,
    pub(super) http: Vec<String>,
}

impl DeclaredNames {
    /// The rate of an element; whoever has no such key has the default one and does not use it.
    pub(super) fn rate(&self, reader: &mut Reader<'_>, at: Option<&At<Name>>) -> Option<String> {
        defined(reader, at, &self.rates, "rates")
    }

    /// The way of an element, likewise.
    pub(super) fn http(&self, reader: &mut Reader<'_>, at: Option<&At<Name>>) -> Option<String> {
        defined(reader, at, &self.http, "http")
    }
}

fn defined(reader: &mut Reader<'_>, at: Option<&At<Name>>, known: &[String], under: &str) -> Option<String> {
    let Some(at) = at else { return Some("default".to_owned()) };
    let name = &at.get()?.0;
    if known.contains(name) {
        return Some(name.clone());
    }
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let near = nearest(name, known.iter().copied());
    let message = format!("`{name}` is not defined under `{under}`");
    reader.fault(FileFault::new(at.span.clone(), message).help(super::read::hint(near, &known)));
    None
}

words! {
    /// A kind of user.
    UserType {
        /// Of the organisation.
        "member" => Member,
        /// Invited from elsewhere.
        "guest" => Guest,
    }
}

element! {
    /// Who is in scope. Whoever is not is left alone, or treated as `fallback` says.
    Users {
        /// Who is disabled at the provider is `inactive`.
        active: Flag = Else("true"),
        /// Which kinds of user.
        types: List<UserType> = Else("[member]"),
        /// Members of these groups, nested groups included. Empty: everybody.
        groups: List<Word> = Else("[]"),
        /// People who are left alone: patterns such as `*-admin@example.com` over user names, e-mails and ids, and groups as
        /// `{ group: ID }`, nested groups included.
        exclude: List<Chosen> = Else("[]"),
        /// People who asked to show no photo: patterns and groups as under `exclude`.
        opted_out: List<Chosen> = Else("[]"),
        /// People whose accounts keep what they show, in every target: patterns and groups as under `exclude`. It counts
        /// before every other rule.
        freeze: List<Chosen> = Else("[]"),
    }
}

element! {
    /// The members of a group, nested groups included.
    Group {
        /// The group, as under `groups`: of Entra ID its object id, of Google its e-mail address.
        group: Word = Required,
    }
}

/// Some people: by a pattern, or by a group.
#[derive(Debug)]
pub(super) enum Chosen {
    Pattern(Pattern),
    Group(Group),
}

impl Setting for Chosen {
    fn read(reader: &mut Reader<'_>, id: Id) -> Option<Self> {
        match reader.tree.node(id).kind {
            Kind::Map(_) => Group::read(reader, id).map(Self::Group),
            Kind::Scalar(_) | Kind::List(_) => Pattern::read(reader, id).map(Self::Pattern),
        }
    }
}

impl Setting for Pattern {
    fn read(reader: &mut Reader<'_>, id: Id) -> Option<Self> {
        let text = Word::read(reader, id)?;
        match no_name(&text.0).map_or_else(|| Self::new(&text.0), Err) {
            Ok(pattern) => Some(pattern),
            Err(found) => {
                let shown = reader.scalar(id, "a text")?.shown;
                let fault = FileFault::new(reader.spot(id), format!("{shown} is not a pattern: {found}"));
                reader.fault(fault);
                None
            }
        }
    }
}

/// Why a pattern is the name of nobody, though it was meant for somebody: it came with more than the name. That it fits nobody
/// would only be noted, when the person's face is shown already.
fn no_name(text: &str) -> Option<String> {
    if let Some(kind) = before_address(text) {
        return Some(format!("write the address alone, without `{kind}:`"));
    }
    if text.contains('<') && text.trim_end().ends_with('>') {
        return Some("write the address alone, without the name and the angle brackets around it".to_owned());
    }
    odd_sign(text)
        .map(|sign| format!("it holds {sign}; take it out, or write `?` in its place if the name itself has it"))
}

scalar_schema!(Pattern, "Text", { "type": "string", "minLength": 1 });

impl Settle<Patterns> for List<Pattern> {
    fn settle(at: &At<Self>, reader: &mut Reader<'_>) -> Option<Patterns> {
        let list = at.get()?.0.iter().map(|one| one.placed(|pattern| Some(pattern.clone())));
        together(reader, &at.span, list.collect::<Option<_>>()?)
    }
}

fn together(reader: &mut Reader<'_>, at: &Span, patterns: Vec<Placed<Pattern>>) -> Option<Patterns> {
    match Patterns::new(patterns) {
        Ok(patterns) => Some(patterns),
        Err(found) => {
            reader.fault(FileFault::new(at.clone(), format!("so many patterns cannot be used: {found}")));
            None
        }
    }
}

impl JsonSchema for Chosen {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Chosen".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [generator.subschema_for::<Word>(), generator.subschema_for::<Group>()] })
    }
}

/// The people of a list, if all of them are known.
pub(super) fn chosen(reader: &mut Reader<'_>, at: &Span, list: &List<Chosen>) -> Option<settings::Chosen> {
    let (mut patterns, mut groups) = (Vec::new(), Vec::new());
    for one in &list.0 {
        match one.get()? {
            Chosen::Pattern(pattern) => patterns.push(Placed { value: pattern.clone(), place: one.place.clone() }),
            Chosen::Group(group) => groups.push(group.group.placed(|word| Some(word.0.clone()))?),
        }
    }
    Some(settings::Chosen { patterns: together(reader, at, patterns)?, groups })
}

impl Users {
    pub(super) fn settle(&self, reader: &mut Reader<'_>) -> Option<settings::Users> {
        let types = self.types.get()?;
        if types.0.is_empty() {
            let fault = FileFault::new(self.types.span.clone(), "no kind of user is in scope");
            reader.fault(fault.help("write `types: [member]`; `enabled: false` switches a source off"));
        }
        Some(settings::Users {
            active: self.active.get()?.0,
            types: types.values()?.into_iter().copied().collect(),
            org_units: Vec::new(),
            groups: texts(self.groups.get()?)?,
            exclude: self.exclude.placed(|list| chosen(reader, &self.exclude.span, list))?,
            opted_out: self.opted_out.placed(|list| chosen(reader, &self.opted_out.span, list))?,
            freeze: self.freeze.placed(|list| chosen(reader, &self.freeze.span, list))?,
        })
    }
}

impl Users {
    /// For a source that has none: a kind that is passed over would serve whoever was to be left alone.
    pub(super) fn refuse_types(&self, reader: &mut Reader<'_>, why: &str) {
        if self.types.written && self.types.get().is_some() {
            let fault = FileFault::new(self.types.span.clone(), why);
            reader.fault(fault.help("leave `types` out, and name whom to leave alone under `exclude`"));
        }
    }

    /// Each group that is named, and where.
    fn named_groups(&self) -> Vec<(&str, Span)> {
        let listed = self.groups.get().into_iter().flat_map(|list| &list.0);
        let listed = listed.filter_map(|group| Some((group.get()?.0.as_str(), group.span.clone())));
        let chosen =
            [&self.exclude, &self.opted_out, &self.freeze].into_iter().filter_map(At::get).flat_map(|list| &list.0);
        let chosen = chosen.filter_map(|one| match one.get()? {
            Chosen::Group(group) => Some((group.group.get()?.0.as_str(), group.group.span.clone())),
            Chosen::Pattern(_) => None,
        });
        listed.chain(chosen).collect()
    }

    /// For a source that knows groups by their object ids: one under a name is not found, at night.
    pub(super) fn expect_group_ids(&self, reader: &mut Reader<'_>) {
        let names = self.named_groups().into_iter().filter(|(group, _)| uuid::Uuid::try_parse(group).is_err());
        for (group, span) in names.map(|(group, span)| (group.escape_debug().to_string(), span)).collect::<Vec<_>>() {
            let fault = FileFault::new(span, format!("`{group}` is not the object id of a group"));
            reader.fault(fault.help(
                "write the object id that Entra shows of the group, such as `841792f7-0143-48b7-ac5e-29684cab718e`",
            ));
        }
    }

    /// For a source that has none: a group that is passed over would lose somebody's wish to show no photo.
    pub(super) fn refuse_groups(&self, reader: &mut Reader<'_>, why: &str) {
        let named = self.groups.get().into_iter().flat_map(|list| &list.0);
        let named = named.filter(|group| group.get().is_some()).map(|group| &group.span);
        let chosen =
            [&self.exclude, &self.opted_out, &self.freeze].into_iter().filter_map(At::get).flat_map(|list| &list.0);
        let chosen = chosen.filter(|one| matches!(one.get(), Some(Chosen::Group(_)))).map(|one| &one.span);
        for span in named.chain(chosen).cloned().collect::<Vec<_>>() {
            reader.fault(FileFault::new(span, why).help("write patterns over ids, user names and e-mails"));
        }
    }
}

/// A list of texts, if all of them are known.
pub(super) fn texts(list: &List<Word>) -> Option<Vec<Placed<String>>> {
    list.0.iter().map(|word| word.placed(|word| Some(word.0.clone()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::tests::refused;

    #[test]
    fn a_source_has_somebody_in_scope() {
        let settle = |at: &At<Users>, reader: &mut Reader<'_>| at.get()?.settle(reader);
        refused(
            &[
                ("{ types: [] }", "no kind of user is in scope"),
                ("{ types: [admin] }", "`admin` is not a value of this key"),
                ("{ groups: [''] }", "is empty"),
                ("{ active: 1 }", "is not `true` or `false`"),
                ("{ exclude: ada }", "expected a list"),
                ("{ exclude: [[ada]] }", "expected a text"),
                ("{ exclude: ['[a-'] }", "`[a-` is not a pattern: "),
                (
                    "{ opted_out: ['MailTo:ann@ex.org'] }",
                    "`MailTo:ann@ex.org` is not a pattern: write the address alone, without `mailto:`",
                ),
                ("{ opted_out: ['SMTP:ann@ex.org'] }", "is not a pattern: write the address alone, without `smtp:`"),
                ("{ freeze: ['Ann <ann@ex.org>'] }", "is not a pattern: write the address alone, without the name"),
                ("{ exclude: ['<ann@ex.org>'] }", "is not a pattern: write the address alone, without the name"),
                ("{ opted_out: [\"ann\\u200B@ex.org\"] }", "is not a pattern: it holds a zero-width space (U+200B)"),
                ("{ opted_out: [\"\\uFEFFann@ex.org\"] }", "is not a pattern: it holds a byte-order mark (U+FEFF)"),
                ("{ opted_out: [\"ann@ex.org\\u00A0\"] }", "is not a pattern: it holds a no-break space (U+00A0)"),
                ("{ opted_out: [''] }", "is empty"),
                ("{ opted_out: [{ grop: x }] }", "unknown key `grop`"),
                ("{ opted_out: [{ group: '' }] }", "is empty"),
                ("{ opted_out: [{}] }", "`group` is missing"),
            ],
            settle,
        );
    }

    #[test]
    fn a_source_without_groups_refuses_every_one() {
        let settle = |at: &At<Users>, reader: &mut Reader<'_>| {
            at.get()?.refuse_groups(reader, "no groups here");
            Some(())
        };
        let text = "{ groups: [a], exclude: [{ group: b }, 'c*'], opted_out: [{ group: d }], freeze: [{ group: e }] }";
        let faults = crate::pipeline::tests::judged(text, settle).unwrap_err();
        assert_eq!(faults.len(), 4, "{faults:?}");
    }

    #[test]
    fn people_are_chosen_by_a_pattern_or_by_a_group() {
        let settle = |at: &At<Users>, reader: &mut Reader<'_>| at.get()?.settle(reader);
        let text = "{ exclude: ['svc-*'], opted_out: [{ group: no-photo }, 'bob@*'] }";
        let users = crate::pipeline::tests::judged(text, settle).unwrap();
        let meant = |chosen: &settings::Chosen| ["svc-1", "bob@x"].map(|name| chosen.patterns.matches(&[name]));
        assert_eq!((meant(&users.exclude.value), meant(&users.opted_out.value)), ([true, false], [false, true]));
        assert!(users.exclude.value.groups.is_empty() && users.opted_out.value.groups[0].value == "no-photo");
    }
}
