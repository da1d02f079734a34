//! What would become of the accounts of a pipeline test (docs/command-line.md, "test").
//!
//! Owns: making facts of what the test says. Leaves to others: every rule (`plan`, and who is in scope: `extract`, `load`).
//! A newcomer gets wrong: nothing is listed, fetched or looked at; an upload that stands there is another picture than the
//! person's photo, as a look would have said.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;

use super::clients::matching_place;
use super::limits;
use super::source_run::PhotoCounts;
use super::target_plan::TargetPlan;
use super::target_planner::count;
use crate::extract::{Belongs, UserFacts};
use crate::load::{AccountFilter, Life};
use crate::model::{
    Absence, Account, AccountId, AccountStanding, Before, Comparison, Decision, Digest, Fault, KeysDigest, Matched,
    Person, PersonId, PersonKey, PersonRef, PhotoFact, PictureRef, Placement, Provenance, Recipe, Shown, Standing,
    StateKey,
};
use crate::pipeline::{TestAccount, TestFile, TestPerson, TestPhoto, TestShown};
use crate::plan::{
    Checked, Claimed, Drift, Former, Judgement, LimitCount, Memory, PhotoLearnt, Portrait, Rerender, Rules,
    SourceState, SourceView, View, carried, decide, guard, lookups, matched, matched_by, told_apart,
};
use crate::settings::{Action, CountedOf, LimitName, Matching, Pipeline, Placed, Source, Target, TargetKind, UserType};

/// What was expected of an account, and what the plan says.
pub(crate) struct Rehearsed<'a> {
    /// The expectation.
    pub expected: &'a TestAccount,
    /// What is decided.
    pub decision: Decision,
}

/// What becomes of a test.
pub(crate) struct Rehearsal<'a> {
    /// Every account of the test.
    pub accounts: Vec<Rehearsed<'a>>,
    /// Every limit that can be counted of a test, held against the file.
    pub limits: Vec<Checked>,
}

/// Decides about every account of the test; the error is what the test names that the pipeline does not have.
pub(crate) fn rehearse<'a>(pipeline: &Pipeline, test: &'a TestFile) -> Result<Rehearsal<'a>, String> {
    let sources =
        pipeline.sources.iter().map(|source| Listed::of(source, pipeline, test)).collect::<Result<Vec<_>, _>>()?;
    known(pipeline, test)?;
    let (mut accounts, mut counted) = (Vec::new(), Vec::new());
    for (id, place, expected) in &test.accounts {
        let target = pipeline.targets.iter().find(|target| target.id.as_str() == id);
        let target = target.ok_or_else(|| {
            let ids: Vec<_> = pipeline.targets.iter().map(|target| target.id.as_str()).collect();
            format!("{place}: {} has no target `{id}`; it has {}", pipeline.file, ids.join(", "))
        })?;
        let (decided, plan) =
            Stage { pipeline, target, sources: &sources }.decide(expected).map_err(|why| format!("{place}: {why}"))?;
        let ours = expected.iter().filter(|one| one.shows == TestShown::Ours).count() as u64;
        counted.extend(limits::of_rehearsed_target(&target.id, &plan, ours));
        accounts.extend(decided);
    }
    let of_sources = sources.iter().filter(|listed| listed.state == SourceState::Listed);
    let of_sources = of_sources.flat_map(|listed| listed.limits(pipeline, test));
    let counted: Vec<_> = of_sources.chain(counted).collect();
    Ok(Rehearsal { accounts, limits: guard(&counted, &pipeline.limits, &[]) })
}

/// Every source that the test names is one of the file.
fn known(pipeline: &Pipeline, test: &TestFile) -> Result<(), String> {
    let people = test.people.iter().filter_map(|person| Some((person.source.as_ref()?, &person.place)));
    let unreachable = test.unreachable.iter().map(|(source, place)| (source, place));
    for (name, place) in test.limits.iter().flat_map(|(names, place)| names.iter().map(move |name| (name, place))) {
        let (scope, limit) = name.rsplit_once('.').unwrap_or(("", name));
        let of_source = pipeline.sources.iter().any(|source| source.id.as_str() == scope);
        let of_target = pipeline.targets.iter().any(|target| target.id.as_str() == scope);
        let is_one = LimitName::ALL.iter().any(|one| match one.counted_of() {
            CountedOf::Source => of_source && one.word() == limit,
            CountedOf::Target => of_target && one.word() == limit,
        });
        if !is_one {
            return Err(format!(
                "{place}: `{name}` is no limit of {}: write the id of a source or target before it, such as `jira.reverts`",
                pipeline.file
            ));
        }
        let of_earlier = [LimitName::SourceShrink, LimitName::GroupShrink, LimitName::TargetShrink];
        if of_earlier.iter().any(|known| limit == known.word()) {
            return Err(format!("{place}: `{name}` compares with an earlier run, and a test has none"));
        }
    }
    for (source, place) in people.chain(unreachable) {
        if !pipeline.sources.iter().any(|known| known.id.as_str() == source) {
            let ids: Vec<_> = pipeline.sources.iter().map(|source| source.id.as_str()).collect();
            return Err(format!("{place}: {} has no source `{source}`; it has {}", pipeline.file, ids.join(", ")));
        }
    }
    Ok(())
}

/// What a source lists.
struct Listed<'a> {
    source: &'a Source,
    state: SourceState,
    people: Vec<(Person, PhotoFact)>,
}

impl<'a> Listed<'a> {
    fn of(source: &'a Source, pipeline: &Pipeline, test: &TestFile) -> Result<Self, String> {
        let id = source.id.as_str();
        let failed = test.unreachable.iter().any(|(unreachable, _)| unreachable == id);
        let state = match &source.provider {
            None => SourceState::Disabled,
            Some(_) if failed => SourceState::Failed,
            Some(_) => SourceState::Listed,
        };
        let first = pipeline.sources.first().is_some_and(|first| first.id == source.id);
        let theirs = |person: &&TestPerson| person.source.as_deref().map_or(first, |source| source == id);
        let mut people: Vec<(Person, PhotoFact)> = Vec::new();
        for one in test.people.iter().filter(theirs) {
            if people.iter().any(|(person, _)| person.id.as_str() == one.id) {
                return Err(format!("{}: `{}` stands there twice", one.place, one.id));
            }
            people.push((person(source, one), photo(one)));
        }
        Ok(Self { source, state, people })
    }

    /// What its limits are held against: a photo counts as known before where an account of the test shows it.
    fn limits(&self, pipeline: &Pipeline, test: &TestFile) -> Vec<LimitCount> {
        let in_scope = || self.people.iter().filter(|(person, _)| person.standing == Standing::InScope);
        let shown = test.accounts.iter().flat_map(|(.., accounts)| accounts);
        let shown: BTreeSet<_> = shown.filter(|one| one.shows == TestShown::Ours).map(|one| one.of.as_str()).collect();
        let known = || in_scope().filter(|(person, _)| shown.contains(person.id.as_str()));
        let most = pipeline.transform.hash.same_picture.value.map(u64::from);
        let photos = PhotoCounts {
            present: in_scope().filter(|(_, photo)| matches!(photo, PhotoFact::Present { .. })).count() as u64,
            known_before: known().count() as u64,
            lost: known().filter(|(_, photo)| matches!(photo, PhotoFact::Unknown(_))).count() as u64,
            ..PhotoCounts::default()
        };
        let shared = in_scope().filter(|(_, photo)| self.shared_by(most, photo).is_some()).count() as u64;
        limits::of_rehearsed_source(&self.source.id, &photos, shared)
    }

    /// How many people of the source have this photo, if they are more than `most`.
    fn shared_by(&self, most: Option<u64>, photo: &PhotoFact) -> Option<u64> {
        let PhotoFact::Present { digest } = photo else { return None };
        let has_it = |other: &PhotoFact| matches!(other, PhotoFact::Present { digest: theirs } if theirs == digest);
        let people = self.people.iter().filter(|(_, other)| has_it(other)).count() as u64;
        most.filter(|most| people > *most).map(|_| people)
    }

    fn person(&self, id: &PersonId) -> Option<&(Person, PhotoFact)> {
        self.people.iter().find(|(person, _)| person.id == *id)
    }
}

fn person(source: &Source, one: &TestPerson) -> Person {
    let mut names: Vec<&str> = vec![&one.id];
    names.extend(one.upn.iter().chain(&one.username).map(String::as_str));
    names.extend(one.email.iter().map(String::as_str));
    let standing = source.provider.as_ref().map_or(Standing::OutOfScope, |provider| {
        let users = &provider.users;
        let belongs = |groups: &[Placed<String>]| groups.iter().any(|group| one.groups.contains(&group.value));
        users.standing(UserFacts {
            active: one.active,
            user_type: Some(UserType::Member),
            belongs: Belongs {
                in_scope: belongs(&users.groups),
                excluded: belongs(&users.exclude.value.groups),
                opted_out: belongs(&users.opted_out.value.groups),
                frozen: belongs(&users.freeze.value.groups),
            },
            names: &names,
        })
    });
    let mut person = Person::new(PersonId::new(&*one.id), "", standing);
    person.add_upn(one.upn.as_deref().unwrap_or_default());
    person.add_main_email(one.email.first().map_or("", String::as_str));
    one.email.iter().for_each(|email| person.add_key(PersonKey::Email, email));
    person.add_key(PersonKey::Sam, one.username.as_deref().unwrap_or_default());
    person.add_key(PersonKey::EmployeeId, one.employee_id.as_deref().unwrap_or_default());
    person
}

/// The photo that an earlier run placed.
fn placed_photo(person: &str) -> Digest {
    Digest::of(format!("photo of {person}").as_bytes())
}

fn photo(one: &TestPerson) -> PhotoFact {
    let fault = || Fault::new("test", "so says the test");
    let whose = one.same_as.as_deref().unwrap_or(&one.id);
    match one.photo {
        TestPhoto::Present => PhotoFact::Present { digest: placed_photo(whose) },
        TestPhoto::Changed => PhotoFact::Present { digest: Digest::of(format!("new photo of {whose}").as_bytes()) },
        TestPhoto::Absent => PhotoFact::Absent(Absence::NotFound),
        TestPhoto::Unreadable => PhotoFact::Unreadable(fault()),
        TestPhoto::TooSmall => PhotoFact::TooSmall { width: 1, height: 1 },
        TestPhoto::Unknown => PhotoFact::Unknown(fault()),
    }
}

/// One target before the sources.
struct Stage<'a> {
    pipeline: &'a Pipeline,
    target: &'a Target,
    sources: &'a [Listed<'a>],
}

impl Stage<'_> {
    fn decide<'t>(&self, expected: &'t [TestAccount]) -> Result<(Vec<Rehearsed<'t>>, TargetPlan), String> {
        let filter = AccountFilter::new(&self.target.accounts);
        let is_folder = matches!(self.target.kind, TargetKind::Folder(_) | TargetKind::FolderInBucket(_));
        let accounts = expected.iter().map(|one| match account(one, &filter) {
            // A file is named by what `match` says, and knows nothing else.
            file if is_folder => Account { email: one.name.contains('@').then(|| one.name.clone()), ..file },
            account => account,
        });
        let accounts: Vec<Account> = accounts.collect();
        let twice =
            accounts.iter().enumerate().find(|(nth, one)| accounts.iter().take(*nth).any(|other| other.id == one.id));
        if let Some((_, account)) = twice {
            return Err(format!("the account `{}` stands there twice", account.id));
        }
        let belongs: Vec<_> = self.sources.iter().map(|listed| self.match_all(listed, &accounts)).collect();
        let recipe = self.pipeline.transform.resize.recipe();
        let any_ours = expected.iter().any(|one| one.shows == TestShown::Ours);
        let rules = self.rules(&recipe, if any_ours { Memory::Holds } else { Memory::Empty });
        let (mut all, mut plan) = (Vec::new(), TargetPlan::default());
        for (expected, account) in expected.iter().zip(&accounts) {
            let of = |(listed, belongs): (&Listed<'_>, &BTreeMap<_, _>)| self.view(listed, account, belongs);
            let sources: Vec<_> = self.sources.iter().zip(&belongs).map(of).collect();
            let judgement = self.judge(expected, account, &sources, &rules);
            let mut counts = Vec::new();
            count(&mut counts, &judgement);
            plan.add(&counts);
            all.push(Rehearsed { expected, decision: judgement.decision });
        }
        Ok((all, plan))
    }

    fn judge(&self, one: &TestAccount, account: &Account, sources: &[SourceView], rules: &Rules<'_>) -> Judgement {
        let keys: Vec<_> = carried(account, &self.target.matching).iter().map(|words| keys(words)).collect();
        let (placement, former) = match (one.shows, &account.shown) {
            (TestShown::Ours, Shown::Custom(mark)) => {
                let (person, former) = self.former(&one.of);
                let placement = Placement {
                    target: self.target.id.clone(),
                    account: account.id.clone(),
                    person: Some(person),
                    photo: placed_photo(&one.of),
                    recipe: rules.recipe.clone(),
                    rendition: placed_photo(&one.of),
                    mark: mark.clone(),
                    provenance: Provenance::Made,
                    before: Before::Default,
                    looks: None,
                    keys: keys.first().copied(),
                };
                (Some(placement), former)
            }
            _ => (None, Former::Nobody),
        };
        let placement = placement.as_ref();
        let looked = Comparison::Differs;
        decide(&View { account, placement, default: None, keys: &keys, sources, former, looked, astray: false }, rules)
    }

    /// Whose photo was placed: whoever has the id, in whichever source.
    fn former(&self, id: &str) -> (PersonRef, Former) {
        let id = PersonId::new(id);
        let of = |listed: &Listed<'_>| PersonRef { source: listed.source.id.clone(), id: id.clone() };
        let there = self.sources.iter().find_map(|listed| Some((listed, listed.person(&id)?)));
        match (there, self.sources.first()) {
            (Some((listed, (person, _))), _) if listed.state == SourceState::Listed => {
                (of(listed), Former::Listed(person.standing))
            }
            (Some((listed, _)), _) => (of(listed), Former::Unknown),
            (None, Some(first)) => {
                let known = first.state == SourceState::Listed;
                (of(first), if known { Former::Gone } else { Former::Unknown })
            }
            // A pipeline has a source.
            (None, None) => (PersonRef { source: "none".into(), id }, Former::Unknown),
        }
    }

    /// Who of one source each account belongs to, as a run finds it of all that was listed.
    fn match_all(&self, listed: &Listed<'_>, accounts: &[Account]) -> BTreeMap<String, Matched> {
        let matching = &self.target.matching;
        let (mut rows, mut theirs) = (BTreeMap::new(), BTreeMap::<PersonId, [Vec<Account>; 2]>::new());
        for account in accounts.iter().filter(|_| listed.state == SourceState::Listed) {
            let Claimed { matched, claims } = against_all(listed, account, matching);
            let inactive = account.standing == AccountStanding::Inactive;
            match (&matched, claims) {
                (Matched::Person(person), _) if !inactive => {
                    theirs.entry(person.clone()).or_default()[0].push(account.clone());
                }
                (_, Some(person)) => theirs.entry(person).or_default()[1].push(account.clone()),
                (_, None) => {}
            }
            if !inactive {
                rows.insert(account.id.as_str().to_owned(), matched);
            }
        }
        for (id, [matched, claiming]) in
            theirs.iter().filter(|(_, [matched, claiming])| matched.len() + claiming.len() > 1)
        {
            let Some((person, _)) = listed.person(id) else { continue };
            let lost = told_apart(person, matched, claiming, matching);
            rows.extend(lost.into_iter().map(|(account, matched)| (account.as_str().to_owned(), matched)));
        }
        rows
    }

    fn view(&self, listed: &Listed<'_>, account: &Account, belongs: &BTreeMap<String, Matched>) -> SourceView {
        let matched = belongs.get(account.id.as_str()).cloned().unwrap_or(Matched::Nobody);
        let found = match &matched {
            Matched::Person(id) => listed.person(id),
            Matched::Ambiguous(_) | Matched::Conflict(_) | Matched::Nobody => None,
        };
        let by = found.and_then(|(person, _)| matched_by(account, person, &self.target.matching));
        SourceView {
            id: listed.source.id.clone(),
            place: listed.source.place.clone(),
            freeze: listed.source.freeze(),
            state: listed.state,
            person: found.map(|(person, _)| person.clone()),
            photo: found.map(|(_, photo)| photo.clone()),
            matched,
            rendition: None,
            keys: by.map(|words| keys(&words)),
            shared_by: found.and_then(|(_, photo)| {
                listed.shared_by(self.pipeline.transform.hash.same_picture.value.map(u64::from), photo)
            }),
            learnt: PhotoLearnt::Before,
        }
    }

    fn rules<'r>(&'r self, recipe: &'r Recipe, memory: Memory) -> Rules<'r> {
        let fallback = &self.pipeline.transform.fallback;
        let rules = [
            &fallback.absent,
            &fallback.unreadable,
            &fallback.too_small,
            &fallback.inactive,
            &fallback.out_of_scope,
            &fallback.opted_out,
            &fallback.gone,
        ];
        let images: HashMap<PathBuf, Portrait> = rules
            .into_iter()
            .filter_map(|rule| match &rule.value {
                Action::Image(path) => {
                    let photo = Digest::of(path.as_os_str().as_encoded_bytes());
                    Some((path.clone(), Portrait { photo, rendition: None }))
                }
                Action::Keep | Action::Default => None,
            })
            .collect();
        Rules {
            target_id: self.target.id.clone(),
            fallback,
            ownership: &self.target.ownership,
            target: self.target.place.clone(),
            matching: matching_place(self.target),
            accounts: &self.target.accounts,
            freeze: &self.target.freeze,
            same_picture: self.pipeline.transform.hash.same_picture.place.clone(),
            recipe,
            rerender: Rerender::Changed,
            drift: Drift::Chosen,
            memory,
            default_by: self.target.kind.default_by(),
            images,
        }
    }
}

fn against_all(listed: &Listed<'_>, account: &Account, matching: &Matching) -> Claimed {
    let asked = lookups(account, matching);
    let shares = |person: &Person| asked.iter().any(|(key, value)| person.values(*key).any(|theirs| theirs == value));
    let candidates: Vec<_> =
        listed.people.iter().map(|(person, _)| person).filter(|person| shares(person)).cloned().collect();
    matched(account, &candidates, matching)
}

fn account(one: &TestAccount, filter: &AccountFilter) -> Account {
    let mark = |what: &str| PictureRef::new(format!("{what}-{}", one.key));
    let member = filter.groups.is_empty() || filter.groups.iter().any(|group| one.groups.contains(group));
    let life = if one.active { Life::Active } else { Life::Disabled };
    let id = AccountId::new(&*one.key);
    Account {
        standing: filter.standing(&id, &one.name, life, member),
        id,
        name: one.name.clone(),
        handle: Some(one.name.clone()),
        email: one.email.clone(),
        display_name: String::new(),
        shown: match one.shows {
            TestShown::Default => Shown::Default,
            TestShown::Stock => Shown::System(mark("stock")),
            TestShown::Upload => Shown::Custom(mark("upload")),
            TestShown::Ours => Shown::Custom(mark("ours")),
            TestShown::Unknown => Shown::Unknown("so says the test".to_owned()),
        },
    }
}

/// The key of a state is its own; a test has none.
fn keys(words: &[String]) -> KeysDigest {
    KeysDigest::of(&StateKey::new([0; 32]), &words.iter().map(String::as_str).collect::<Vec<_>>())
}
