//! A run inside the test's own process: a fraction of the cost of the real program, for who needs thousands of runs.
//!
//! Owns: the one door to the library, from the pipeline file to the answer and the exit code.
//! Leaves to others: flags, streams, signals and the files of the report, which the real program has (`harness`).
//! A newcomer gets wrong: the working folder is that of the tests, so every path in the pipeline file has to be absolute.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Output};
use std::sync::{Arc, Mutex, PoisonError};

use avatarpipe::inside::Exit;
use avatarpipe::inside::Rerender;
use avatarpipe::inside::Trouble;
use avatarpipe::inside::{Asked, Mode, Options, Selection, Stop, execute};
use avatarpipe::inside::{Colour, Environment, Overlay, parse};
use avatarpipe::inside::{Listener, RunEvent, Screen, Uncut, human};
use tokio::runtime::Builder;

use super::ended::Ended;
use super::harness::Harness;

impl Harness {
    /// What `run` does, without the program around it.
    pub(super) fn run_inside(&self) -> Ended {
        let said = Arc::new(Said::default());
        let (exit, answer) = match self.execute(Arc::clone(&said)) {
            Ok((exit, answer)) => (exit, answer),
            Err(trouble) => {
                said.line(format!("error: {trouble}"));
                (trouble.exit(), String::new())
            }
        };
        let status = ExitStatus::from_raw(i32::from(exit.code()) << 8);
        let output = Output { status, stdout: answer.into_bytes(), stderr: said.text().into_bytes() };
        Ended::new("avatarpipe run pipeline.yaml (inside)".to_owned(), output, self.folder())
    }

    fn execute(&self, said: Arc<Said>) -> Result<(Exit, String), Box<Trouble>> {
        let faults = |faults: avatarpipe::inside::Faults| Trouble::Usage(faults.render(Colour::Plain));
        let document = parse(&self.pipe().text(), "pipeline.yaml").map_err(faults)?;
        let mut pipeline = document.resolve(&Variables(self), &Overlay::default()).map_err(faults)?;
        if pipeline.bucket.is_some() {
            // The copy on this machine has no key of its own.
            pipeline.state = self.path("state/bucket/stage.db");
        }
        let selection = Selection::default();
        let (rerender, asked) = (Rerender::Changed, Asked::default());
        let options = Options { mode: Mode::Run, selection, allow: Vec::new(), rerender, report: false, asked };
        // One for each run, as the program has it: when it is gone, nothing holds the state any more.
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.map_err(Trouble::file("start the runtime"))?;
        let outcome = runtime.block_on(execute(&pipeline, &options, said, Stop::new()))?;
        let answer = human(&outcome.report, &outcome.people, Uncut::default(), Screen::default())
            .map_err(Trouble::file("read the facts"))?
            .text();
        Ok((outcome.exit, answer))
    }
}

/// The environment that the real program would be given.
struct Variables<'a>(&'a Harness);

impl Environment for Variables<'_> {
    fn var(&self, name: &str) -> Option<String> {
        self.0.variable(name).map(str::to_owned)
    }

    fn file(&self, path: &str) -> Result<String, String> {
        std::fs::read_to_string(path).map_err(|error| error.to_string())
    }
}

/// What the program would say on standard error.
#[derive(Default)]
struct Said(Mutex<String>);

impl Said {
    fn line(&self, line: String) {
        let mut text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *text += &line;
        text.push('\n');
    }

    fn text(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Listener for Said {
    fn hear(&self, event: &RunEvent) {
        match event {
            RunEvent::Note(text) | RunEvent::Failure(text) => self.line(text.clone()),
            RunEvent::Begins { .. } | RunEvent::At { .. } | RunEvent::Ends { .. } => {}
        }
    }
}
