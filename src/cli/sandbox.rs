//! `sandbox [WORLD]`: runs the simulators of a world until it is stopped.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;

use super::output::answer;
use super::sandboxed;
use crate::error::Trouble;
use crate::exit::Exit;
use avatarpipe_sandbox::{Options, Ports, Running, Sandbox, Secret};

/// How the sandbox is run.
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// A bundled world, or a folder with a world.yaml
    #[arg(value_name = "WORLD", default_value = sandboxed::DEFAULT)]
    world: String,
    /// The page takes this port, the simulators the following ones; without it, whatever is free
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// Where the world is kept between runs; without it, every start is the world's beginning. `state/sandbox/WORLD/world`
    /// is what `run --sandbox` uses
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
}

/// Runs until SIGINT or SIGTERM.
pub(super) fn run(flags: &Flags) -> Result<Exit, Trouble> {
    let ports = flags.port.map_or(Ports::Free, Ports::From);
    let options = Options { ports, state: flags.state.clone() };
    let running = Sandbox::start(sandboxed::world(&flags.world)?, options).map_err(|error| {
        sandboxed::refused("the sandbox", &error, "make the folder writable, or name another with --state DIR")
    })?;
    answer(&card(&running))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Trouble::file("start the runtime"))?;
    runtime.block_on(async {
        let stop = crate::run::Stop::new();
        stop.listen(None, |_| {}).map_err(Trouble::file("listen for signals"))?;
        stop.wait().await;
        Ok::<_, Trouble>(())
    })?;
    Ok(Exit::Done)
}

/// Where everything is, and what to sign in with. The secrets are the world's own and are valid nowhere else.
fn card(running: &Running) -> String {
    let mut out = format!("world {}\npage  {}\n\n", running.world(), running.page());
    for (name, url) in running.endpoints() {
        _ = writeln!(out, "{name:<12} {url}");
    }
    out.push('\n');
    for credential in running.credentials() {
        _ = match &credential.secret {
            Secret::Password(secret) => {
                writeln!(out, "{:<12} user {} password {secret}", credential.simulator, credential.user)
            }
            Secret::Token(secret) => {
                writeln!(out, "{:<12} user {} token {secret}", credential.simulator, credential.user)
            }
            Secret::App { tenant, client_secret } => writeln!(
                out,
                "{:<12} tenant {tenant} client id {} client secret {client_secret}",
                credential.simulator, credential.user
            ),
            // Keys are too long for a card: the page hands them out.
            Secret::Certificate { tenant, .. } => writeln!(
                out,
                "{:<12} tenant {tenant} client id {} certificate: {}/_sandbox/credentials",
                credential.simulator,
                credential.user,
                running.page()
            ),
            Secret::ServiceAccount { subject, customer, .. } => writeln!(
                out,
                "{:<12} customer {customer} service account {} subject {} key file: {}/_sandbox/credentials",
                credential.simulator,
                credential.user,
                subject.as_deref().unwrap_or("none"),
                running.page()
            ),
            Secret::Job { request_url, request_token } => {
                writeln!(out, "{:<12} request URL {request_url} request token {request_token}", credential.simulator)
            }
        };
    }
    out.push_str("\nstop with Ctrl-C\n");
    out
}
