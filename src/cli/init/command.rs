//! The command: who and what is taken, what is written where, and what to do next.
//!
//! Owns: the flags, what is taken where nothing is said, that no file is overwritten.
//! Leaves to others: the texts (`elements`, `ci_job`).
//! A newcomer gets wrong: all files are looked for before one is written, so a refusal leaves nothing behind.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::super::ci::Platform;
use super::super::environment;
use super::super::output::answer_lines;
use super::ci_job::{self, Job};
use super::elements::{Parts, Source, Target};
use super::variables::{self, AskedFor, BITBUCKET, CONFLUENCE, CREDENTIALS_FILE, JIRA, SUBJECT, Variables};
use crate::error::Trouble;
use crate::exit::Exit;
use crate::input;
use crate::pipeline;

/// What to begin with.
#[derive(Debug, Args)]
pub(in super::super) struct Flags {
    /// The pipeline file to write; the pipeline has its name
    #[arg(value_name = "FILE", default_value = "pipelines/avatars.yaml")]
    file: PathBuf,
    /// People and photos of Entra ID
    #[arg(long)]
    entra: bool,
    /// People and photos of Google Workspace
    #[arg(long)]
    google: bool,
    /// People and photos of a folder with `people.csv`
    #[arg(long, value_name = "PATH")]
    folder: Option<String>,
    /// Pictures go to the Jira at this address
    #[arg(long, value_name = "URL")]
    jira: Option<String>,
    /// Pictures go to the Confluence at this address
    #[arg(long, value_name = "URL")]
    confluence: Option<String>,
    /// Pictures go to the Bitbucket at this address
    #[arg(long, value_name = "URL")]
    bitbucket: Option<String>,
    /// Pictures go to a folder
    #[arg(long, value_name = "PATH")]
    to_folder: Option<String>,
    /// Writes a job for this platform [default: the one whose files are here, or where the origin is]
    #[arg(long, value_enum, ignore_case = true)]
    ci: Option<Ci>,
}

/// For which platform a job is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Ci {
    /// GitHub Actions
    Github,
    /// GitLab CI/CD
    #[value(alias = "gitlab-ci")]
    Gitlab,
    /// Azure Pipelines
    #[value(alias = "azure", alias = "azure_devops")]
    AzureDevops,
    /// Jenkins
    Jenkins,
    /// No job
    None,
}

/// Writes the files and says what to do next.
pub(in super::super) fn run(flags: &Flags) -> Result<Exit, Trouble> {
    let set = Variables::of_process();
    let here = Path::new(".");
    let platform = match flags.ci {
        Some(Ci::Github) => Some(Platform::GitHub),
        Some(Ci::Gitlab) => Some(Platform::GitLab),
        Some(Ci::AzureDevops) => Some(Platform::AzureDevOps),
        Some(Ci::Jenkins) => Some(Platform::Jenkins),
        Some(Ci::None) => None,
        None => ci_job::platform_of(here).or_else(Platform::here),
    };
    let name = flags.file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    if name.is_empty() || flags.file.is_dir() {
        let shown = flags.file.display();
        return Err(Trouble::Usage(format!(
            "init {shown}: this is a folder; write the name of a file in it, such as {}; nothing was written",
            flags.file.join("avatars.yaml").display()
        )));
    }
    let (sources, guessed_sources) = sources(flags, &set);
    let (targets, guessed_targets) = targets(flags, &set);
    let parts = Parts { name, sources, targets, platform };
    let text = parts.text(&set);
    let shown = flags.file.display().to_string();
    // The file is not there to look at: what is wrong stands in the flags.
    pipeline::parse(&text, &format!("{shown} (not written)")).map_err(|faults| environment::unwritten(&faults))?;
    let asked_for = variables::asked_for(&text);
    let pictures = parts.pictures();
    let job = platform.map(|platform| ci_job::job(platform, here, &flags.file, &parts.name, &asked_for, &pictures));
    let mut files = vec![(flags.file.as_path(), text.as_str())];
    files.extend(job.as_ref().map(|job| (job.path.as_path(), job.text.as_str())));
    let ignored = Ignored::of(here, job.is_some());
    let not_for_git = pictures.iter().fold(IGNORE_TEXT.to_owned(), |text, path| format!("{text}/{path}/\n"));
    files.extend((ignored == Ignored::Unsaid).then_some((Path::new(IGNORE), not_for_git.as_str())));
    write(&files, if job.is_some() { "; `--ci none` writes the pipeline alone" } else { "" })?;
    let mut told =
        Told { out: String::new(), width: files.iter().map(|(path, _)| shown_width(path)).max().unwrap_or(0) };
    told.written(&flags.file, &parts.title());
    if let Some((platform, Job { path, found_by, .. })) = platform.zip(job.as_ref()) {
        told.written(
            path,
            &format!("a job for {}; what to change and set up stands at its top", ci_job::title(platform)),
        );
        if let Some(found_by) = found_by {
            told.line(&format!("  {}: {found_by}", path.display()));
        }
    }
    match ignored {
        Ignored::Unsaid => told.written(Path::new(IGNORE), "keeps state, plans, reports and faces out of the repository"),
        Ignored::Elsewhere => told.line(&format!(
            "{IGNORE} is there and does not name `/state/`: add it, so that state, reports and faces stay out of the repository"
        )),
        Ignored::Already => {}
    }
    if platform.is_none() && flags.ci.is_none() {
        told.line("No CI platform is recognised here, so no job was written: --ci github, gitlab, azure-devops or jenkins writes one");
    }
    told.guesses(guessed_sources, guessed_targets);
    told.next(&shown, &parts.folders_of_photos(), &asked_for, &set);
    answer_lines(&told.out)?;
    Ok(Exit::Done)
}

/// What keeps files out of a repository.
const IGNORE: &str = ".gitignore";

/// Where state, reports and plans stand, unless the file or the command names another place.
const IGNORE_TEXT: &str = "/state/\n/report/\n/plan\n/plan-*\n/plan.*\n";

/// Whether the folder of the state is kept out of a repository.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ignored {
    /// It is, or there is no repository.
    Already,
    /// Nothing says anything of it.
    Unsaid,
    /// There is a file that says nothing of it; it is somebody's.
    Elsewhere,
}

impl Ignored {
    fn of(here: &Path, has_job: bool) -> Self {
        match input::text(&here.join(IGNORE), 1 << 20) {
            Ok(text) => {
                let names_it = |line: &str| matches!(line.trim().trim_matches('/'), "state" | "state/*" | "state/**");
                if text.lines().any(names_it) { Self::Already } else { Self::Elsewhere }
            }
            Err(error) if error.kind() != ErrorKind::NotFound => Self::Elsewhere,
            Err(_) if has_job || here.join(".git").exists() => Self::Unsaid,
            Err(_) => Self::Already,
        }
    }
}

/// Whether something was said, or is told by the machine; else it is what most have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Taken {
    AsTold,
    ByGuess,
}

fn sources(flags: &Flags, set: &Variables) -> (Vec<Source>, Taken) {
    let named: Vec<_> = [
        flags.entra.then_some(Source::Entra),
        flags.google.then_some(Source::Google),
        flags.folder.clone().map(Source::Folder),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !named.is_empty() {
        return (named, Taken::AsTold);
    }
    let entra = [variables::TENANT, variables::CLIENT, variables::CLIENT_SECRET];
    let entra = entra.iter().any(|names| set.set_of(names).is_some());
    let google = set.has(SUBJECT) || set.has(CREDENTIALS_FILE);
    let found: Vec<_> =
        [entra.then_some(Source::Entra), google.then_some(Source::Google)].into_iter().flatten().collect();
    if found.is_empty() { (vec![Source::Entra], Taken::ByGuess) } else { (found, Taken::AsTold) }
}

fn targets(flags: &Flags, set: &Variables) -> (Vec<Target>, Taken) {
    let named: Vec<_> = [
        flags.jira.clone().map(|url| Target::Jira(Some(url))),
        flags.confluence.clone().map(|url| Target::Confluence(Some(url))),
        flags.bitbucket.clone().map(|url| Target::Bitbucket(Some(url))),
        flags.to_folder.clone().map(Target::Folder),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !named.is_empty() {
        return (named, Taken::AsTold);
    }
    let found: Vec<_> = [
        set.tell_of(&JIRA).then_some(Target::Jira(None)),
        set.tell_of(&CONFLUENCE).then_some(Target::Confluence(None)),
        set.tell_of(&BITBUCKET).then_some(Target::Bitbucket(None)),
    ]
    .into_iter()
    .flatten()
    .collect();
    if found.is_empty() { (vec![Target::Jira(None)], Taken::ByGuess) } else { (found, Taken::AsTold) }
}

/// All of them or, where one is there already, none.
fn write(files: &[(&Path, &str)], without_job: &str) -> Result<(), Trouble> {
    let there = |path: &Path| {
        let is_job = files.iter().position(|(one, _)| *one == path).is_some_and(|nth| nth > 0);
        let help = if is_job { without_job } else { "; give another name, or take that file away first" };
        let found = format!("{} is there already and is left as it is; nothing was written{help}", path.display());
        Trouble::Usage(found)
    };
    if let Some((path, _)) = files.iter().find(|(path, _)| path.symlink_metadata().is_ok()) {
        return Err(there(path));
    }
    let mut made = Vec::new();
    let written = files.iter().try_for_each(|(path, text)| {
        let trouble = |error| Trouble::File { tried: format!("write {}", path.display()), error };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(trouble)?;
        }
        let file = OpenOptions::new().write(true).create_new(true).open(path);
        let mut file =
            file.map_err(|error| if error.kind() == ErrorKind::AlreadyExists { there(path) } else { trouble(error) })?;
        made.push(path);
        file.write_all(text.as_bytes()).map_err(trouble)
    });
    if written.is_err() {
        // Else the next try finds half of it there. What cannot be removed stands in its way, and is told then.
        made.iter().for_each(|path| _ = std::fs::remove_file(path));
    }
    written
}

fn shown_width(path: &Path) -> usize {
    path.display().to_string().chars().count()
}

/// The answer.
struct Told {
    out: String,
    width: usize,
}

impl Told {
    fn line(&mut self, text: &str) {
        self.out += text;
        self.out.push('\n');
    }

    fn written(&mut self, path: &Path, what: &str) {
        let pad = " ".repeat(self.width - shown_width(path));
        self.line(&format!("wrote {}{pad}  {what}", path.display()));
    }

    fn guesses(&mut self, sources: Taken, targets: Taken) {
        if sources == Taken::ByGuess {
            self.line("Nothing said where people come from, so it is Entra ID: or give --google, --folder PATH");
        }
        if targets == Taken::ByGuess {
            self.line(
                "Nothing said where pictures go, so it is Jira: or give --jira URL, --confluence URL, --bitbucket URL",
            );
        }
    }

    fn next(&mut self, file: &str, folders: &[&str], asked_for: &[AskedFor], set: &Variables) {
        let missing: Vec<_> = asked_for.iter().filter(|one| !set.has(&one.name)).map(|one| one.name.as_str()).collect();
        self.line("\nNext:");
        // People of a folder are not invented: without them there is nothing to play.
        if cfg!(feature = "sandbox") && folders.is_empty() {
            self.line(&format!(
                "  avatarpipe run {file} --sandbox     plays it with invented people, without a secret"
            ));
        }
        for folder in folders {
            let people = Path::new(folder).join("people.csv");
            self.line(&format!("  write {} (id,name,email,photo), and put the photos beside it", people.display()));
        }
        if !missing.is_empty() {
            self.line(&format!("  set {}", missing.join(", ")));
        }
        for (command, what) in [
            ("auth", "are all rights there? docs/guide/rights.md says how to grant them"),
            ("plan", "what would be done; nothing is written"),
        ] {
            self.line(&format!("  avatarpipe {command} {file}     {what}"));
        }
        self.line(&format!(
            "  avatarpipe run {file} --only YOUR.ADDRESS@EXAMPLE.COM     yourself first, then look at it"
        ));
        self.line(
            "docs/guide/first-run.md goes on from there; docs/guide is part of the source, and lies in /usr/share/doc/avatarpipe/guide \
             where a package was installed.",
        );
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        flags: Flags,
    }

    const FLAGS: [&[&str]; 7] = [
        &["--entra"],
        &["--google"],
        &["--folder", "hr's \"photos\": ${HOME} # ä"],
        &["--jira", "https://jira.example.com/jira"],
        &["--confluence", "https://wiki.example.com"],
        &["--bitbucket", "https://git.example.com"],
        &["--to-folder", "out: [x]"],
    ];
    const SET: [&[&str]; 3] = [
        &[],
        &["AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE", "JIRA_TOKEN", "CONFLUENCE_TOKEN", "BITBUCKET_TOKEN"],
        &["ENTRA_ID_TOKEN", "GOOGLE_SUBJECT", "JIRA_USER", "WIKI_URL", "BITBUCKET_BASE_URL", "CONFLUENCE_PASSWORD"],
    ];

    #[test]
    fn every_combination_passes_check() {
        let platforms = [
            None,
            Some(Platform::GitHub),
            Some(Platform::GitLab),
            Some(Platform::AzureDevOps),
            Some(Platform::Jenkins),
        ];
        for chosen in 0..1_u32 << FLAGS.len() {
            let words = FLAGS.iter().enumerate().filter(|(at, _)| chosen >> at & 1 == 1).flat_map(|(_, words)| *words);
            let flags = Line::parse_from(["init"].iter().chain(words)).flags;
            // The platform changes two lines, whatever else there is: each meets some of the others.
            for (at, names) in SET.iter().enumerate() {
                let platform = platforms[(chosen as usize + at) % platforms.len()];
                let set = Variables::of(names);
                let (sources, targets) = (sources(&flags, &set).0, targets(&flags, &set).0);
                let text = Parts { name: "avatars".to_owned(), sources, targets, platform }.text(&set);
                let checked = pipeline::parse(&text, "p.yaml").map_err(|faults| faults.render(pipeline::Colour::Plain));
                let document = checked.unwrap_or_else(|faults| panic!("{faults}\n{text}"));
                assert_eq!(document.warnings(), [], "{text}");
            }
        }
    }

    #[test]
    fn what_is_set_says_what_is_there() {
        let flags = Line::parse_from(["init"]).flags;
        let taken = |names: &[&str]| (sources(&flags, &Variables::of(names)), targets(&flags, &Variables::of(names)));
        let (sources, targets) = taken(&[]);
        assert!(
            sources == (vec![Source::Entra], Taken::ByGuess) && targets == (vec![Target::Jira(None)], Taken::ByGuess)
        );
        let (sources, targets) = taken(&["GOOGLE_SUBJECT", "WIKI_URL", "JIRA_TOKEN"]);
        assert!(sources == (vec![Source::Google], Taken::AsTold));
        assert!(targets == (vec![Target::Jira(None), Target::Confluence(None)], Taken::AsTold));
    }
}
