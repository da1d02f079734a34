//! `state FILE`: what is kept, and looking after it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use clap::{Args, Subcommand};
use serde_json::json;

use super::output::{OutputFormat, answer_json, answer_lines};
use super::pipeline_file::PipelineFile;
use crate::error::Trouble;
use crate::exit::Exit;
use crate::explain::{self, Elements, Named};
use crate::model::{counted, rfc3339};
use crate::pipeline::Document;
use crate::run;
use crate::state::{self, Forgotten, Lock, Store};

/// Which state.
#[derive(Debug, Args)]
pub(super) struct Flags {
    #[command(flatten)]
    pipeline: PipelineFile,
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Counts what is kept
    Show {
        /// How the answer is written
        #[arg(long, value_enum, default_value_t = OutputFormat::Human)]
        format: OutputFormat,
    },
    /// Checks that the file hangs together; exits with 2 if it is damaged
    Verify,
    /// Copies the state, also while a run is writing to it, and the pictures kept for `undo`
    Backup {
        /// The copy; only an earlier copy is replaced
        #[arg(value_name = "TO")]
        to: PathBuf,
    },
    /// Takes out all that is kept of one person or account; first `run` with them under `opted_out`, which takes our picture off
    Forget {
        /// By name, e-mail, user principal name, id, or the pseudonym of a report
        #[arg(value_name = "PERSON")]
        person: String,
    },
    /// Removes the cache beside the state, with everybody's names and waiting pictures, and the pictures kept for `undo`
    Purge {
        /// Takes out runs that began longer ago, such as `90d`, and of which no write is on record
        #[arg(long, value_name = "TIME", value_parser = super::output::time)]
        runs_older_than: Option<Duration>,
    },
    /// Takes the lease on a state in a bucket away from a run that is surely dead
    BreakLease,
    /// Puts a state that stood in a file into the bucket, unless what is there is newer
    Push {
        /// The file
        #[arg(value_name = "FROM")]
        from: PathBuf,
    },
    /// Makes a file of the state in the bucket, unless the file that stands there is newer
    Pull {
        /// The file
        #[arg(value_name = "TO")]
        to: PathBuf,
    },
}

/// Does what is asked.
pub(super) fn run(flags: &Flags) -> Result<Exit, Trouble> {
    let document = flags.pipeline.document()?;
    if let Act::BreakLease | Act::Push { .. } | Act::Pull { .. } = &flags.act {
        return in_bucket(flags, &document);
    }
    let path = flags.pipeline.state(&document, "`state`")?;
    let version = state::schema_version(&path)?;
    if let (Act::Purge { runs_older_than: None }, None) = (&flags.act, version)
        && (run::cache_path(&path).is_dir() || run::count_kept(&path).0 > 0)
    {
        // A plan leaves names in the cache, and no state.
        purge(&path, None)?;
        return Ok(Exit::Done);
    }
    let Some(version) = version else {
        let elsewhere =
            flags.pipeline.in_sandboxes(&document, "state", " show")?.into_iter().map(|words| format!("; {words}"));
        let elsewhere: String = elsewhere.collect();
        let missing = format!("there is no state yet: `{}` is missing; `run` makes it{elsewhere}", path.display());
        return Err(Trouble::Usage(missing));
    };
    match &flags.act {
        Act::Show { format } => show(&path, version, *format),
        Act::Verify => {
            Store::view(&path)?.check_references()?;
            answer_lines(&format!("{}: pages, schema (version {version}) and references are right\n", path.display()))
        }
        Act::Backup { to } if to.canonicalize().is_ok_and(|to| path.canonicalize().is_ok_and(|path| path == to)) => {
            Err(Trouble::Usage(format!("state backup {}: it is the state itself; name another file", to.display())))
        }
        Act::Backup { to } => {
            expect_folder(to)?;
            state::back_up(&path, to)?;
            let pictures =
                run::copy_kept(&path, to).map_err(Trouble::file("copy what is kept of replaced pictures"))?;
            let kept = match pictures {
                0 => String::new(),
                some => format!("replaced pictures, encrypted as they are: {some}, copied to {}.kept\n", to.display()),
            };
            answer_lines(&format!(
                "{}: copied whole to {}, which only its owner may read\n{kept}",
                path.display(),
                to.display()
            ))
        }
        Act::BreakLease | Act::Push { .. } | Act::Pull { .. } => Ok(()),
        Act::Forget { person } => {
            let words =
                take_out(flags, &document, &path, "`state forget`", |store| forget(&document, &path, store, person))?;
            let versions = if flags.pipeline.bucket(&document)?.is_some() { VERSIONS } else { "" };
            answer_lines(&format!("{words}{versions}"))
        }
        Act::Purge { runs_older_than } => {
            let runs = match runs_older_than {
                Some(age) => Some(take_out(flags, &document, &path, "`state purge`", |store| purge_runs(store, *age))?),
                None => None,
            };
            purge(&path, runs)
        }
    }?;
    Ok(Exit::Done)
}

/// Opens the state, in the file or in the bucket, for taking something out.
fn take_out<T>(
    flags: &Flags,
    document: &Document,
    path: &Path,
    what: &str,
    act: impl FnOnce(&Store) -> Result<T, Trouble>,
) -> Result<T, Trouble> {
    match flags.pipeline.bucket(document)? {
        None => act(&Store::open(locked(path, what)?)?),
        #[cfg(feature = "bucket")]
        Some((bucket, http)) => run::take_out(&bucket, &http, path, what, super::ci::started_by(), act),
        #[cfg(not(feature = "bucket"))]
        Some((bucket, _)) => Err(Trouble::no_bucket(&bucket, "state")),
    }
}

/// What is done with a bucket alone.
fn in_bucket(flags: &Flags, document: &Document) -> Result<Exit, Trouble> {
    let Some((bucket, _http)) = flags.pipeline.bucket(document)? else {
        return Err(Trouble::Usage(
            "the state is in a file, and this is for one in a bucket: a file's lock ends with the process that has it, and \
             `state FILE backup TO` copies it"
                .to_owned(),
        ));
    };
    #[cfg(not(feature = "bucket"))]
    return Err(Trouble::no_bucket(&bucket, "state"));
    #[cfg(feature = "bucket")]
    {
        let (path, by) = (super::environment::state_path(document)?, super::ci::started_by());
        let url = &bucket.place.url;
        let words = match &flags.act {
            Act::Push { from } => {
                if state::schema_version(from)?.is_none() {
                    return Err(Trouble::Usage(format!("there is no file `{}`", from.display())));
                }
                run::push(&bucket, &_http, &path, from, by)?;
                format!("{url}: goes on from {}, which is not needed there any more\n", from.display())
            }
            Act::Pull { to } => {
                run::pull_to(&bucket, &_http, &path, to)?;
                format!(
                    "{url}: copied whole to {}, which only its owner may read; write `path` in place of `bucket` to go on from it\n",
                    to.display()
                )
            }
            _ => match run::break_lease(&bucket, &_http, &path, by)? {
                None => format!("{url}: nobody has the lease\n"),
                Some(former) => format!(
                    "{url}: the lease was taken away from {former}\nif that run is alive, it ends at its next write, and what \
                     it had begun is looked at by the next run\n"
                ),
            },
        };
        answer_lines(&words)?;
        Ok(Exit::Done)
    }
}

fn show(path: &Path, version: u32, format: OutputFormat) -> Result<(), Trouble> {
    let store = Store::view(path)?;
    let (kept, pipeline) = (store.overview()?, store.pipeline()?);
    let (pictures, picture_bytes) = run::count_kept(path);
    let [file, cache, report] = [path.to_owned(), run::cache_path(path), path.with_extension("report")].map(bytes);
    let each = |list: &[(String, u64)]| match list {
        [] => "none".to_owned(),
        list => list.iter().map(|(id, count)| format!("{id} {count}")).collect::<Vec<_>>().join(", "),
    };
    let placements: Vec<_> = kept.placements.iter().map(|(id, count)| (id.to_string(), *count)).collect();
    let marks: Vec<_> = kept.marks.iter().map(|(id, count)| (id.to_string(), *count)).collect();
    let oldest = kept.oldest_run.map(rfc3339);
    match format {
        OutputFormat::Human => {
            let mut out = String::new();
            let since = oldest.map_or(String::new(), |oldest| format!(", since {oldest}"));
            let whose = pipeline.map_or("no pipeline yet".to_owned(), |name| format!("pipeline `{name}`"));
            _ = writeln!(out, "{}: {file} bytes, schema version {version}, of {whose}", path.display());
            _ = writeln!(out, "runs         {}{since}", kept.runs);
            _ = writeln!(out, "placements   {}", each(&placements));
            _ = writeln!(out, "photo marks  {}", each(&marks));
            _ = writeln!(out, "writes       {}, of these open {}", kept.intents, kept.open_intents);
            _ = writeln!(out, "beside it    cache {cache} bytes, report {report} bytes");
            if pictures > 0 {
                _ = writeln!(
                    out,
                    "kept         {}, {picture_bytes} bytes, encrypted",
                    counted(pictures, "replaced picture", "replaced pictures")
                );
            }
            answer_lines(&out)
        }
        OutputFormat::Json => {
            let list = |list: Vec<(String, u64)>| {
                list.into_iter().map(|(id, count)| json!({ "id": id, "count": count })).collect::<Vec<_>>()
            };
            let all = json!({
                "format": 1, "file": path.display().to_string(), "bytes": file, "schema": version, "pipeline": pipeline,
                "runs": kept.runs, "oldest_run": oldest, "placements": list(placements), "photo_marks": list(marks),
                "writes": kept.intents, "open_writes": kept.open_intents, "cache_bytes": cache, "report_bytes": report,
                "kept_pictures": pictures, "kept_bytes": picture_bytes,
            });
            answer_json(&format!("{all:#}\n"))
        }
    }
}

/// Of a file, or of all files below a folder.
fn bytes(path: PathBuf) -> u64 {
    match std::fs::symlink_metadata(&path) {
        Ok(found) if found.is_dir() => {
            let below = std::fs::read_dir(&path).into_iter().flatten().flatten();
            below.map(|entry| bytes(entry.path())).sum()
        }
        Ok(found) if found.is_file() => found.len(),
        _ => 0,
    }
}

/// A copy goes where somebody looks for it: a folder that is not there is a slip.
fn expect_folder(to: &Path) -> Result<(), Trouble> {
    match to.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
        Some(folder) => {
            let found = format!("there is no folder {}; make it, or name another file", folder.display());
            let error = std::io::Error::new(std::io::ErrorKind::NotFound, found);
            Err(Trouble::File { tried: format!("copy the state to {}", to.display()), error })
        }
        None => Ok(()),
    }
}

/// Of a state in a bucket.
const VERSIONS: &str = "\
not touched: earlier versions of objects, where the bucket keeps such; a rule of the bucket ends them
";

const NOT_TOUCHED: &str = "\
not touched: the picture on the server stays; a run with the person under `opted_out` takes it away, before this command
not touched: names in the cache, which `state FILE purge` removes, and in reports; ids in the audit trail and in copies
not touched: whoever is still listed by a source comes back on record with the next run
";

/// What is taken out does not come back: not of a state that `run` would refuse.
fn expect_own(store: &Store, document: &Document) -> Result<(), Trouble> {
    match document.name() {
        Some(name) => Ok(store.expect_pipeline(name)?),
        None => Ok(()),
    }
}

/// Keeps runs out.
fn locked(path: &Path, what: &str) -> Result<Lock, Trouble> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Ok(Lock::acquire(path, &state::Holder::here(what.into(), rfc3339(now.as_secs())))?)
}

/// Says what went.
fn forget(document: &Document, path: &Path, store: &Store, person: &str) -> Result<String, Trouble> {
    expect_own(store, document)?;
    let Named { whom, names } = explain::one_named(path, store, &Elements::of(document), person)?;
    if store.count_open_of(&whom)? > 0 {
        return Err(Trouble::Usage(
            "a write to this account is open, nothing was forgotten: `run` looks what became of it, then forget again"
                .to_owned(),
        ));
    }
    let accounts = store.accounts_of_all(&whom)?;
    let pictures = run::forget_kept(path, &store.key()?, &accounts)
        .map_err(Trouble::file("take away what was kept of replaced pictures"))?;
    let gone = store.forget(whom).wait()?;
    let names = names.join(", ");
    if gone == Forgotten::default() && pictures == 0 {
        return Ok(format!("nothing was on record of {names} in {}\n{NOT_TOUCHED}", path.display()));
    }
    Ok(format!(
        "forgotten: {names}\ntaken out of {}: {}, {}, {}, {}\n\
         taken away: {}\n{NOT_TOUCHED}",
        path.display(),
        counted(gone.marks as u64, "photo mark", "photo marks"),
        counted(gone.placements as u64, "placement", "placements"),
        counted(gone.writes as u64, "closed write", "closed writes"),
        counted(gone.lines as u64, "line of reports", "lines of reports"),
        counted(pictures as u64, "picture that was kept for `undo`", "pictures that were kept for `undo`"),
    ))
}

fn purge_runs(store: &Store, age: Duration) -> Result<usize, Trouble> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Ok(store.purge_runs(now.saturating_sub(age).as_secs()).wait()?)
}

fn purge(path: &Path, runs: Option<usize>) -> Result<(), Trouble> {
    let cache = run::cache_path(path);
    if runs.is_none() && !cache.is_dir() && run::count_kept(path).0 == 0 {
        return answer_lines(&format!("nothing to purge: there is no {}\n", cache.display()));
    }
    let _lock = locked(path, "`state purge`")?;
    let freed = bytes(cache.clone());
    run::remove_folder(&cache).map_err(Trouble::file(format!("remove {}", cache.display())))?;
    let (kept, _) = run::count_kept(path);
    run::purge_kept(path).map_err(Trouble::file("take away what was kept of replaced pictures"))?;
    let mut out = format!("{} removed: {freed} bytes\n", cache.display());
    if kept > 0 {
        _ = writeln!(out, "replaced pictures taken away: {kept}");
    }
    if let Some(runs) = runs {
        _ = writeln!(out, "runs taken out: {runs}");
    }
    answer_lines(&out)
}
