//! What whoever writes a flag or a command of another tool probably meant.
//!
//! Owns: the words of other tools, and what says the same here. Leaves to others: the words of ours (`Cli`), and which of them are
//! spelt alike (clap).
//! A newcomer gets wrong: none of these words does anything; the command line is refused all the same.

use clap::error::{ContextKind, ContextValue};

/// Words of other tools, and what to write here.
type Hint = (&'static [&'static str], &'static str);

const FLAGS: [Hint; 11] = [
    (
        &["--dry-run", "--dryrun", "-n", "--noop", "--preview", "--simulate", "--what-if", "--check"],
        "`avatarpipe plan FILE` is the dry run: it does everything but the writes",
    ),
    (
        &["--config", "--file", "--pipeline", "-c", "-f"],
        "the pipeline file is written without a flag: `avatarpipe run FILE`",
    ),
    (&["--json", "--output", "--output-format", "-o"], "`--format json` writes the answer as JSON"),
    (
        &["--yes", "-y", "--force", "--auto-approve", "--confirm", "--no-input"],
        "nothing here asks: `run` writes what passes the limits, and `--allow LIMIT=N` lets exactly N pass one that stopped it",
    ),
    (
        &["--user", "--users", "--person", "--people", "--account", "--accounts", "--filter", "--include", "--select"],
        "`--only PERSON` chooses by name, e-mail address or id, and `--only-file LIST` everybody of a list",
    ),
    (
        &["--exclude", "--skip"],
        "who is left alone stands in the pipeline file: `users: { exclude: […] }`, `accounts: { exclude: […] }`",
    ),
    (&["--debug", "--log-level", "--loglevel"], "`-v` also tells each decision, `-vv` each request"),
    (&["--silent", "-s"], "`-q` says nothing on standard error but failures"),
    (&["--timeout", "--max-time"], "`--max-duration TIME` stops in good order after this time"),
    (&["--state", "--state-file"], "where the state lies stands in the pipeline file: `state: { path: … }`"),
    (
        &["--no-color", "--no-colour", "--color", "--colour"],
        "colours are for a terminal alone, and the variable NO_COLOR=1 takes them off",
    ),
];

const COMMANDS: [Hint; 11] = [
    (
        &["apply", "sync", "start", "exec", "push", "upload", "deploy"],
        "`avatarpipe run FILE` writes; `run FILE --plan PLAN` at most what a saved plan says",
    ),
    (&["dry-run", "dryrun", "diff", "preview", "simulate"], "`avatarpipe plan FILE` does everything but the writes"),
    (
        &["validate", "lint", "verify"],
        "`avatarpipe check FILE` shows all faults of a pipeline file; `state FILE verify` looks at the state",
    ),
    (
        &["rollback", "revert", "restore", "reset"],
        "`avatarpipe undo FILE` shows what would give back what stood before a run",
    ),
    (
        &["login", "whoami", "ping", "doctor", "connect"],
        "`avatarpipe auth FILE` signs in everywhere and says what is missing",
    ),
    (
        &["show", "why", "who", "get", "inspect"],
        "`avatarpipe explain FILE WHO` tells all that is known of one person or account",
    ),
    (&["history", "log", "logs", "list", "ls", "runs"], "`avatarpipe status FILE` shows the last runs"),
    (&["new", "create", "setup", "configure"], "`avatarpipe init` writes a pipeline file to start from"),
    (
        &["backup", "forget", "purge", "export"],
        "`avatarpipe state FILE backup TO`, `forget PERSON` and `purge` look after what is kept",
    ),
    (
        &["demo", "simulator", "simulators"],
        "`avatarpipe sandbox` runs the simulators; `run FILE --sandbox` has them stand in for every server",
    ),
    (&["version"], "`avatarpipe --version`"),
];

/// Puts what was probably meant in the place of what is only spelt alike.
pub(super) fn advise(error: &mut clap::Error, written: &[String]) {
    let Some(hint) = hint(error, written) else { return };
    for spelt_alike in [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue] {
        error.remove(spelt_alike);
    }
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![hint.into()]));
}

fn hint(error: &clap::Error, written: &[String]) -> Option<String> {
    let of = |hints: &[Hint], word: &str| {
        hints.iter().find(|(words, _)| words.contains(&word)).map(|(_, hint)| (*hint).to_owned())
    };
    match (error.get(ContextKind::InvalidArg), error.get(ContextKind::InvalidSubcommand)) {
        (Some(ContextValue::String(argument)), _) => {
            of(&FLAGS, argument).or_else(|| apart_from_its_flag(argument, written))
        }
        (_, Some(ContextValue::String(command))) => of(&COMMANDS, command),
        (Some(ContextValue::Strings(missing)), _) if missing.iter().any(|name| name.starts_with("<FILE>")) => {
            Some("FILE is the pipeline file; `avatarpipe init` writes one to start from".to_owned())
        }
        _ => None,
    }
}

/// The value of `--sandbox` may be left out, so what stands behind a space is no value of it.
fn apart_from_its_flag(argument: &str, written: &[String]) -> Option<String> {
    let stands_behind = written.windows(2).any(|pair| pair[0] == "--sandbox" && pair[1] == argument);
    stands_behind.then(|| format!("a world is written with `=`: `--sandbox={argument}`"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::{CommandFactory as _, Parser as _};

    use super::*;
    use crate::cli::Cli;

    fn refused(line: &str) -> String {
        let written: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let mut error = Cli::try_parse_from(&written).unwrap_err();
        advise(&mut error, &written);
        error.to_string()
    }

    #[test]
    fn what_other_tools_call_it_is_told_with_what_to_write() {
        for (line, told) in [
            ("avatarpipe run p.yaml --dry-run", "  tip: `avatarpipe plan FILE` is the dry run"),
            ("avatarpipe run --config p.yaml", "  tip: the pipeline file is written without a flag"),
            ("avatarpipe status p.yaml --json", "  tip: `--format json` writes"),
            ("avatarpipe run p.yaml --force", "  tip: nothing here asks"),
            ("avatarpipe apply p.yaml", "  tip: `avatarpipe run FILE` writes"),
            ("avatarpipe revert p.yaml", "  tip: `avatarpipe undo FILE` shows"),
            ("avatarpipe run", "  tip: FILE is the pipeline file"),
            // What is spelt alike is told as before.
            ("avatarpipe run p.yaml --onyl ada", "  tip: a similar argument exists: '--only'"),
        ] {
            let words = refused(line);
            assert!(words.contains(told), "{line}\n{words}");
            assert_eq!(words.matches("tip:").count(), 1, "{line}\n{words}");
        }
    }

    #[test]
    #[cfg(feature = "sandbox")]
    fn a_world_behind_a_space_is_told() {
        let words = refused("avatarpipe run p.yaml --sandbox corporate");
        assert!(words.contains("  tip: a world is written with `=`: `--sandbox=corporate`"), "{words}");
        assert!(!refused("avatarpipe run p.yaml corporate").contains("--sandbox="));
    }

    /// A word that is one of ours somewhere would be refused here with a hint and taken there.
    #[test]
    fn each_word_is_told_once() {
        for hints in [&FLAGS[..], &COMMANDS[..]] {
            let words: Vec<_> = hints.iter().flat_map(|(words, _)| words.iter()).collect();
            assert_eq!(words.iter().collect::<BTreeSet<_>>().len(), words.len());
        }
        let ours: BTreeSet<String> = Cli::command().get_subcommands().map(|one| one.get_name().to_owned()).collect();
        for (words, _) in COMMANDS {
            assert!(words.iter().all(|word| !ours.contains(*word)), "{words:?}");
        }
    }
}
