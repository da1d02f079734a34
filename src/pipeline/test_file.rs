//! A test of a pipeline file: people, accounts, and what must become of each (docs/command-line.md, "test").
//!
//! Owns: its keys and their faults. Leaves to others: what becomes of the accounts (`run`, by the rules of `plan`).
//! A newcomer gets wrong: nothing of it comes from outside of the file: no `${…}`, so that a test says the same everywhere.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use schemars::generate::SchemaSettings;

use super::declare::{element, words};
use super::fault::{Faults, FileFault, Span};
use super::read::{At, ByName, List, Reader, Setting};
use super::scalar::{Count, Flag, FormatVersion, Word};
use super::secret;
use super::tree::{Id, Kind, Tree};
use crate::model::{Change, Place, Reason};

element! {
    /// A test of a pipeline file.
    File {
        /// The version of this format.
        version: FormatVersion = Required,
        /// The pipeline file, beside this one.
        pipeline: Word = Required,
        /// What `${NAME}` of the pipeline file stands for; no variable of the machine is looked at.
        variables: ByName<Word> = Else("{}"),
        /// Sources that could not be listed.
        unreachable: List<Word> = Else("[]"),
        /// Limits that must stop a source or target, as `--allow` names them: `jira.reverts`. `[]`: none; left out: no limit is
        /// looked at.
        limits: List<Word> = Optional,
        /// Who the sources list.
        people: List<PersonKeys> = Required,
        /// The accounts of each target, what they show and what must become of them.
        accounts: ByName<List<AccountKeys>> = Required,
    }
}

element! {
    /// Somebody whom a source lists.
    PersonKeys {
        /// The source; the first of the pipeline file if it is left out.
        source: Word = Optional,
        /// Who it is, for ever.
        id: Word = Required,
        /// Mail addresses, the main one first.
        email: List<Word> = Else("[]"),
        /// The user principal name.
        upn: Word = Optional,
        /// The on-premises sAMAccountName.
        username: Word = Optional,
        /// The employee id.
        employee_id: Word = Optional,
        /// Enabled at the provider.
        active: Flag = Else("true"),
        /// Groups that `users` may name.
        groups: List<Word> = Else("[]"),
        /// What the source holds.
        photo: PhotoWord = Else("present"),
        /// Where the photo is the very one of somebody else of the source: the id of that person.
        same_as: Word = Optional,
    }
}

words! {
    /// What the source holds.
    PhotoWord = TestPhoto {
        /// A photo of the person's own; on an account that shows it (`ours`), the one that stands there.
        "present" => Present,
        /// Another photo than the last run placed.
        "changed" => Changed,
        /// Provably none.
        "absent" => Absent,
        /// One of which no picture can be made.
        "unreadable" => Unreadable,
        /// One that is smaller than `resize.smallest`.
        "too_small" => TooSmall,
        /// It could not be learnt.
        "unknown" => Unknown,
    }
}

element! {
    /// An account of a target.
    AccountKeys {
        /// What the person signs in with.
        name: Word = Required,
        /// The immutable id; the name if it is left out.
        key: Word = Optional,
        /// The mail address.
        email: Word = Optional,
        /// In use.
        active: Flag = Else("true"),
        /// Groups that `accounts` may name.
        groups: List<Word> = Else("[]"),
        /// What it shows.
        shows: ShownWord = Else("default"),
        /// With `shows: ours`, the id of the person whose photo was placed; the account's name if it is left out.
        of: Word = Optional,
        /// What must become of it.
        expect: ChangeWord = Required,
        /// Why, in the word of `run.json`.
        reason: ReasonWord = Optional,
        /// The line of the pipeline file that must decide.
        rule: Count = Optional,
    }
}

/// Why, in the word of `run.json`.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReasonWord(Reason);

impl Setting for ReasonWord {
    fn read(reader: &mut Reader<'_>, id: Id) -> Option<Self> {
        let word = reader.word(id, &Reason::ALL.map(Reason::word))?;
        Reason::ALL.into_iter().find(|reason| reason.word() == word).map(Self)
    }
}

impl schemars::JsonSchema for ReasonWord {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ReasonWord".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let word = |reason: Reason| serde_json::json!({ "const": reason.word(), "description": reason.text() });
        schemars::json_schema!({ "anyOf": Reason::ALL.map(word).to_vec() })
    }
}

words! {
    /// What an account shows.
    ShownWord = TestShown {
        /// The instance's default.
        "default" => Default,
        /// A stock picture of the product.
        "stock" => Stock,
        /// A picture that somebody uploaded.
        "upload" => Upload,
        /// What an earlier run placed.
        "ours" => Ours,
        /// The server did not say.
        "unknown" => Unknown,
    }
}

words! {
    /// What becomes of an account.
    ChangeWord = Change {
        /// The person's photo is put there.
        "replace" => Replace,
        /// The default is shown again.
        "revert" => Revert,
        /// The picture of the former person goes.
        "remove" => Remove,
        /// It is right already.
        "unchanged" => Unchanged,
        /// It is left as it is, by a rule.
        "keep" => Keep,
        /// It is left as it is, since the keys do not say whose it is.
        "conflict" => Conflict,
        /// It is not looked at.
        "skip" => Skip,
    }
}

/// What a source holds for a person of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TestPhoto {
    Present,
    Changed,
    Absent,
    Unreadable,
    TooSmall,
    Unknown,
}

/// What an account of a test shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TestShown {
    Default,
    Stock,
    Upload,
    Ours,
    Unknown,
}

/// A test of a pipeline file.
#[derive(Debug)]
pub(crate) struct TestFile {
    /// The pipeline file, beside the test, and where that is said.
    pub pipeline: (String, Place),
    /// What `${NAME}` of it stands for.
    pub variables: BTreeMap<String, String>,
    /// Sources that could not be listed.
    pub unreachable: Vec<(String, Place)>,
    /// Limits that must stop a source or target, and where that is said; `None`: none is looked at.
    pub limits: Option<(Vec<String>, Place)>,
    /// Who the sources list.
    pub people: Vec<TestPerson>,
    /// The accounts of each target, with the target's line.
    pub accounts: Vec<(String, Place, Vec<TestAccount>)>,
}

/// Somebody whom a source lists.
#[derive(Debug)]
pub(crate) struct TestPerson {
    /// The line.
    pub place: Place,
    /// `None`: the first source of the file.
    pub source: Option<String>,
    /// Who it is.
    pub id: String,
    /// The main one first.
    pub email: Vec<String>,
    /// The user principal name.
    pub upn: Option<String>,
    /// The on-premises sAMAccountName.
    pub username: Option<String>,
    /// The employee id.
    pub employee_id: Option<String>,
    /// Enabled at the provider.
    pub active: bool,
    /// For `users`.
    pub groups: Vec<String>,
    /// What the source holds.
    pub photo: TestPhoto,
    /// Whose photo it is.
    pub same_as: Option<String>,
}

/// An account of a target, and what must become of it.
#[derive(Debug)]
pub(crate) struct TestAccount {
    /// The line of the expectation.
    pub place: Place,
    /// What the person signs in with.
    pub name: String,
    /// The immutable id.
    pub key: String,
    /// The mail address.
    pub email: Option<String>,
    /// In use.
    pub active: bool,
    /// For `accounts`.
    pub groups: Vec<String>,
    /// What it shows.
    pub shows: TestShown,
    /// Of a picture of ours, whose photo it is.
    pub of: String,
    /// What must become of it.
    pub expect: Change,
    /// The reason.
    pub reason: Option<Reason>,
    /// The line of the pipeline file that decides.
    pub rule: Option<u32>,
}

/// Reads a test and reports everything that is wrong with it.
pub(crate) fn parse_test(text: &str, file: &str) -> Result<TestFile, Faults> {
    let file: Arc<str> = file.into();
    let (tree, mut faults) = Tree::parse(text);
    let Some(tree) = tree else {
        return Err(Faults::new(file, text, &secret::in_text(text), faults));
    };
    let (secrets, root) = (secret::in_tree(&tree), tree.root);
    if let Some(list) = tree.get(root, "extract").or_else(|| tree.get(root, "load")) {
        let fault = FileFault::new(tree.node(list).head.clone(), "this is a pipeline file, and no test of one");
        faults = vec![fault.help("`avatarpipe check FILE` reads it; a test names it under `pipeline`")];
        return Err(Faults::new(file, text, &secrets, faults));
    }
    faults.extend(from_outside(&tree));
    let mut reader = Reader::new(tree, text, Arc::clone(&file), None);
    let read = File::read(&mut reader, root).and_then(|written| {
        written.refuse_nobody(&mut reader);
        written.settle()
    });
    faults.append(&mut reader.faults);
    match read {
        Some(test) if faults.is_empty() => Ok(test),
        _ => Err(Faults::new(file, text, &secrets, faults)),
    }
}

/// Every `${…}`.
fn from_outside(tree: &Tree) -> Vec<FileFault> {
    let nodes = tree.reachable(&HashSet::new()).into_iter().map(|id| tree.node(id));
    let outside = nodes.filter(|node| matches!(&node.kind, Kind::Scalar(scalar) if scalar.text.parts().is_some()));
    let fault = |span: Span| {
        FileFault::new(span, "a value of a test cannot come from outside of the file")
            .help("write out what stands in `${…}`")
    };
    outside.map(|node| fault(node.span.clone())).collect()
}

/// Whether a file is a test, for whoever takes it for a pipeline file.
pub(super) fn is_test(tree: &Tree) -> bool {
    let has = |key| tree.get(tree.root, key).is_some();
    has("people") && has("accounts") && !has("extract") && !has("load")
}

/// The JSON Schema of a test.
pub(crate) fn test_schema() -> serde_json::Value {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<File>().to_value();
    if let Some(object) = schema.as_object_mut() {
        object.insert("title".to_owned(), "avatarpipe test of a pipeline".into());
    }
    schema
}

impl File {
    /// What expects nothing of anybody holds whatever the pipeline file says.
    fn refuse_nobody(&self, reader: &mut Reader<'_>) {
        let Some(targets) = self.accounts.get() else { return };
        let empty = |list: &At<List<AccountKeys>>| list.get().is_some_and(|list| list.0.is_empty());
        let help = "write what must become of somebody: `jira: [{ name: ada, expect: replace }]`";
        let spans: Vec<Span> = match &targets.0[..] {
            [] => vec![self.accounts.span.clone()],
            some => some.iter().filter(|(.., list)| empty(list)).map(|(_, span, _)| span.clone()).collect(),
        };
        for span in spans {
            reader.fault(FileFault::new(span, "no account stands here: nothing is tested").help(help));
        }
    }

    fn settle(&self) -> Option<TestFile> {
        self.version.get()?;
        let named = |(name, _, value): &(String, _, At<Word>)| Some((name.clone(), value.get()?.0.clone()));
        let source = |at: &At<Word>| Some((at.get()?.0.clone(), at.place.clone()));
        let target = |(id, _, list): &(String, _, At<List<AccountKeys>>)| {
            let accounts: Option<Vec<_>> = list.get()?.0.iter().map(|at| at.get()?.settle()).collect();
            Some((id.clone(), list.place.clone(), accounts?))
        };
        Some(TestFile {
            pipeline: (self.pipeline.get()?.0.clone(), self.pipeline.place.clone()),
            variables: self.variables.get()?.0.iter().map(named).collect::<Option<_>>()?,
            unreachable: self.unreachable.get()?.0.iter().map(source).collect::<Option<_>>()?,
            limits: match self.limits.optional()? {
                Some(list) => {
                    let words: Vec<_> = list.values()?.into_iter().map(|word| word.0.clone()).collect();
                    Some((words, self.limits.place.clone()))
                }
                None => None,
            },
            people: self.people.get()?.0.iter().map(|at| at.get()?.settle(&at.place)).collect::<Option<_>>()?,
            accounts: self.accounts.get()?.0.iter().map(target).collect::<Option<_>>()?,
        })
    }
}

impl PersonKeys {
    fn settle(&self, place: &Place) -> Option<TestPerson> {
        Some(TestPerson {
            place: place.clone(),
            source: optional(&self.source)?,
            id: self.id.get()?.0.clone(),
            email: texts(&self.email)?,
            upn: optional(&self.upn)?,
            username: optional(&self.username)?,
            employee_id: optional(&self.employee_id)?,
            active: self.active.get()?.0,
            groups: texts(&self.groups)?,
            photo: self.photo.get()?.0,
            same_as: optional(&self.same_as)?,
        })
    }
}

impl AccountKeys {
    fn settle(&self) -> Option<TestAccount> {
        let name = self.name.get()?.0.clone();
        Some(TestAccount {
            place: self.expect.place.clone(),
            key: optional(&self.key)?.unwrap_or_else(|| name.clone()),
            email: optional(&self.email)?,
            active: self.active.get()?.0,
            groups: texts(&self.groups)?,
            shows: self.shows.get()?.0,
            of: optional(&self.of)?.unwrap_or_else(|| name.clone()),
            expect: self.expect.get()?.0,
            reason: self.reason.optional()?.map(|reason| reason.0),
            rule: self.rule.optional()?.map(|line| u32::try_from(line.0).unwrap_or(u32::MAX)),
            name,
        })
    }
}

fn optional(at: &At<Word>) -> Option<Option<String>> {
    Some(at.optional()?.map(|word| word.0.clone()))
}

fn texts(at: &At<List<Word>>) -> Option<Vec<String>> {
    Some(at.get()?.values()?.into_iter().map(|word| word.0.clone()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIGHT: &str = "version: 1\npipeline: p.yaml\npeople:\n  - { id: ada, email: [ada@x] }\n\
                         accounts:\n  jira:\n    - { name: ada, expect: replace }\n";

    #[test]
    fn a_test_is_read_as_strictly_as_a_pipeline() {
        let test = parse_test(RIGHT, "p.test.yaml").unwrap();
        assert_eq!((test.people.len(), test.accounts[0].2[0].place.line), (1, 7));
        for (from, to, told) in [
            ("email:", "emial:", "`email`"),
            ("expect: replace", "expect: replaced", "`replace`"),
            ("name: ada", "name: \"${ADA}\"", "p.test.yaml:7:15"),
            ("people:", "extract: []\npeople:", "`avatarpipe check FILE` reads it"),
            ("people:", "peoples:", "`people`"),
            ("expect: replace", "expect: replace, reason: photo_newer", "write `photo_new`"),
            ("    - { name: ada, expect: replace }", "    []", "nothing is tested"),
            ("accounts:\n  jira:\n    - { name: ada, expect: replace }", "accounts: {}", "nothing is tested"),
        ] {
            let faults = parse_test(&RIGHT.replace(from, to), "p.test.yaml").unwrap_err().to_string();
            assert!(faults.contains(told) && faults.contains("p.test.yaml"), "{faults}");
        }
    }
}
