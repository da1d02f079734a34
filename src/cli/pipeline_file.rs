//! `FILE` and `--sandbox`: which pipeline a command is about.
//!
//! Owns: both flags, and what every command makes of them: the file, its state, its settings.
//! Leaves to others: reading files and variables (`environment`), the simulators (`sandboxed`).
//! A newcomer gets wrong: simulators end when what [`PipelineFile::resolved`] gives with the pipeline is dropped.

use std::path::{Path, PathBuf};

use clap::Args;

use super::environment;
use super::output::tell;
#[cfg(feature = "sandbox")]
use super::sandboxed::{SandboxFlag, Sandboxed};
use crate::error::Trouble;
use crate::pipeline::{Document, Overlay};
use crate::report::{LeaseLine, Severity};
use crate::settings::{Http, Pipeline, StateBucket};
use crate::state::Store;

/// What keeps the simulators running that stand in for the file's servers.
#[cfg(feature = "sandbox")]
pub(super) type StandIns = Option<Sandboxed>;
#[cfg(not(feature = "sandbox"))]
pub(super) type StandIns = ();

/// Which pipeline.
#[derive(Debug, Args)]
pub(super) struct PipelineFile {
    /// The pipeline file
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    #[cfg(feature = "sandbox")]
    #[command(flatten)]
    pub(super) sandbox: SandboxFlag,
}

impl PipelineFile {
    /// Reads and parses it.
    pub(super) fn document(&self) -> Result<Document, Trouble> {
        environment::document(&self.file)
    }

    /// `--sandbox` as it was written, for who is told to write the same.
    pub(super) fn sandbox_flag(&self) -> Option<String> {
        #[cfg(feature = "sandbox")]
        return self.sandbox.written();
        #[cfg(not(feature = "sandbox"))]
        None
    }

    /// Where its state stands: in a sandbox, that of its runs there. Of a state in a bucket the copy on this machine, made
    /// anew for a look; `what`: the command.
    pub(super) fn state(&self, document: &Document, what: &str) -> Result<PathBuf, Trouble> {
        #[cfg(feature = "sandbox")]
        let path = self.sandbox.state(document)?;
        #[cfg(not(feature = "sandbox"))]
        let path = environment::state_path(document)?;
        match self.bucket(document)? {
            None => {}
            #[cfg(feature = "bucket")]
            Some((bucket, http)) => crate::run::pull(&bucket, &http, &path, what)?,
            #[cfg(not(feature = "bucket"))]
            Some((bucket, _)) => return Err(Trouble::no_bucket(&bucket, what)),
        }
        // What is told of another pipeline's runs would be taken for this one's.
        if let Some(name) = document.name() {
            Store::view(&path)?.expect_pipeline(name)?;
        }
        Ok(path)
    }

    /// Where runs are recorded that whoever finds none here may mean: those in each sandbox have a state of their own.
    /// `behind`: what stands behind the file in the command that shows them.
    pub(super) fn in_sandboxes(
        &self,
        document: &Document,
        command: &str,
        behind: &str,
    ) -> Result<Vec<String>, Trouble> {
        #[cfg(feature = "sandbox")]
        let worlds = self.sandbox.others(document)?;
        #[cfg(not(feature = "sandbox"))]
        let worlds = {
            _ = document;
            Vec::<String>::new()
        };
        let told = |world: String| {
            let see = format!("avatarpipe {command} {}{behind} --sandbox={world}", self.file.display());
            format!("runs in the sandbox `{world}` are recorded apart; see them with: {see}")
        };
        Ok(worlds.into_iter().map(told).collect())
    }

    /// The same for people: the file, or the bucket.
    pub(super) fn place(&self, document: &Document, state: &Path) -> Result<String, Trouble> {
        Ok(match self.bucket(document)? {
            Some((bucket, _)) => bucket.place.url,
            None => state.display().to_string(),
        })
    }

    /// Who has the lease on a state in a bucket. `state`: the copy on this machine.
    pub(super) fn lease(&self, document: &Document, state: &Path) -> Result<Option<LeaseLine>, Trouble> {
        #[cfg(feature = "bucket")]
        if let Some((bucket, http)) = self.bucket(document)? {
            return crate::run::lease(&bucket, &http, state);
        }
        #[cfg(not(feature = "bucket"))]
        let _ = (document, state);
        Ok(None)
    }

    /// The bucket that its state stands in; in a sandbox none.
    pub(super) fn bucket(&self, document: &Document) -> Result<Option<(StateBucket, Http)>, Trouble> {
        #[cfg(feature = "sandbox")]
        if self.sandbox.is_wanted() {
            return Ok(None);
        }
        environment::bucket(document)
    }

    /// What a run works with, the simulators in place of the file's servers if they are wanted.
    pub(super) fn resolved(&self) -> Result<(Pipeline, StandIns), Trouble> {
        let document = self.document()?;
        #[cfg(feature = "sandbox")]
        let stand_ins = self.sandbox.start(&document)?;
        #[cfg(feature = "sandbox")]
        let overlay = stand_ins.as_ref().map(|sandbox| sandbox.overlay(&document)).transpose()?.unwrap_or_default();
        #[cfg(not(feature = "sandbox"))]
        let (stand_ins, overlay) = ((), Overlay::default());
        let pipeline = resolve(&document, &overlay)?;
        if self.sandbox_flag().is_none() {
            for place in &pipeline.short_secrets {
                tell(Severity::Warning, &format!("{place}: {SHORT}"));
            }
        }
        Ok((pipeline, stand_ins))
    }
}

const SHORT: &str = "this secret has fewer than 8 characters: wherever it stands in what is told, `***` stands in its place, in our \
    own words, too; set a longer one";

fn resolve(document: &Document, overlay: &Overlay) -> Result<Pipeline, Trouble> {
    let pipeline = document.resolve(&environment::Process, overlay).map_err(|faults| environment::rendered(&faults))?;
    #[cfg(not(feature = "bucket"))]
    if let Some(bucket) = &pipeline.report.bucket {
        return Err(Trouble::no_bucket_for("`report`", bucket));
    }
    Ok(pipeline)
}
