//! A certificate with its key: `certificate` of Entra, `client_cert` of an `http` entry.
//!
//! Owns: the difference between a file and its text. Leaves to others: reading the file (`http`).
//! A newcomer gets wrong: CI platforms keep texts, not files, so the text itself is often put where its path belongs; no
//! message may quote it (promise P7).

use std::path::PathBuf;

use super::declare::taken;
use super::fault::FileFault;
use super::read::{Reader, Setting};
use super::scalar::scalar_schema;
use super::settle::settled_as_written;
use super::tree::Id;
use super::web::SecretValue;
use crate::settings;

settings::certificate!(taken);

settled_as_written!(KeyFile => PathBuf);

/// The path of a file that holds a key. A relative one counts from the working directory, as on the command line.
#[derive(Clone, Debug)]
pub(super) struct KeyFile(pub(super) PathBuf);

impl Setting for KeyFile {
    fn read(reader: &mut Reader<'_>, id: Id) -> Option<Self> {
        let value = reader.scalar(id, "a path")?;
        if is_key(&value.text) {
            let fault = FileFault::new(reader.spot(id), "this is the text of a key; the path of a file belongs here");
            reader.fault(fault.help(
                "write the text to a file that only the job can read and give its path; \
                 in GitLab, a variable of the type `File` does so",
            ));
            return None;
        }
        if value.text.trim().is_empty() || value.text.contains('\0') {
            let fault = FileFault::new(reader.spot(id), format!("{} is not a path", value.shown));
            reader.fault(fault);
            return None;
        }
        Some(Self(PathBuf::from(value.text)))
    }
}

/// PEM, JSON, or anything else of several lines.
fn is_key(text: &str) -> bool {
    text.contains('\n') || text.contains("-----BEGIN") || text.trim_start().starts_with('{')
}

scalar_schema!(KeyFile, "KeyFile", { "type": "string", "pattern": "^[^{\\n-][^\\n]*$|^\\$\\{" });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::read::At;
    use crate::pipeline::tests::{judged, refused};

    fn settle(at: &At<Certificate>, reader: &mut Reader<'_>) -> Option<settings::Certificate> {
        at.get()?.settled(reader)
    }

    #[test]
    fn a_file_with_or_without_a_password() {
        let certificate = judged("{ file: keys/app.p12 }", settle).unwrap();
        assert_eq!((certificate.file.to_str(), certificate.password.is_none()), (Some("keys/app.p12"), true));
        assert_eq!(judged("{ file: a.p12, password: '${P}' }", settle).unwrap_err(), [""; 0]);
    }

    #[test]
    fn the_text_of_a_key_is_no_path_and_is_not_quoted() {
        let texts =
            ["|\n  -----BEGIN PRIVATE KEY-----\n  hunter2\n", "'{ \"private_key\": \"hunter2\" }'", "\"hunter2\\n\""];
        for text in texts {
            let faults = judged(&format!("file: {text}"), settle).unwrap_err();
            assert!(faults.len() == 1 && faults[0].contains("the text of a key"), "{text}: {faults:?}");
            assert!(!faults[0].contains("hunter2"), "{text}: {faults:?}");
        }
    }

    #[test]
    fn what_opens_nothing_is_refused() {
        refused(
            &[
                ("{}", "`file` is missing"),
                ("{ file: '' }", "is not a path"),
                ("{ file: a.p12, password: hunter2 }", "a secret is written out"),
                ("{ file: a.pem, key: b.pem }", "unknown key `key`"),
                ("app.pem", "expected keys and values"),
            ],
            settle,
        );
    }
}
