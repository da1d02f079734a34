//! `federated`: where a token of the CI platform comes from.
//!
//! Owns: the ways, and the variables in which platforms leave what is needed. Leaves to others: asking the platform, reading the
//! file, handing the token over (`http`).
//! A newcomer gets wrong: the variables are looked up when the pipeline runs, so that a job without them is refused
//! before anything is asked, with the line of the file.

use url::Url;

use super::declare::words;
use super::environment::Environment;
use super::fault::FileFault;
use super::interpolate;
use super::read::{At, Reader, Setting};
use super::scalar::{DirectoryId, FilePath, scalar_schema};
use super::tree::Id;
use super::web::{BaseUrl, web_url};
use crate::secret::Secret;
use crate::settings;

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenPlace {
    Github,
    AzureDevops,
    Env,
    File,
}

words! {
    /// Where the token of the CI platform comes from.
    TokenPlace {
        /// GitHub Actions hands it out; the job needs `permissions: id-token: write`.
        "github" => Github,
        /// Azure Pipelines hands it out for a service connection; the job needs `env: { SYSTEM_ACCESSTOKEN: $(System.AccessToken) }`.
        "azure_devops" => AzureDevops,
        /// It stands in the variable `name`, as GitLab's `id_tokens` leave it.
        "env" => Env,
        /// It stands in the file `path`, which is read each time.
        "file" => File,
    }
}

/// The name of a variable, not its value.
#[derive(Clone, Debug)]
pub(super) struct VariableName(pub(super) String);

impl Setting for VariableName {
    fn read(reader: &mut Reader<'_>, id: Id) -> Option<Self> {
        // A value that came from outside is not a name but the token itself.
        if reader.is_from_outside(id) {
            let fault = FileFault::new(reader.spot(id), "the name of the variable belongs here, not its value");
            reader.fault(fault.help("write the name alone: `name: ENTRA_ID_TOKEN`"));
            return None;
        }
        let parse = |text: &str| interpolate::is_name(text).then(|| Self(text.to_owned()));
        reader.parsed(id, "the name of a variable", parse)
    }
}

scalar_schema!(VariableName, "VariableName", { "type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" });

/// The keys that say where from.
pub(super) struct Keys<'e> {
    pub(super) from: &'e At<TokenPlace>,
    pub(super) name: &'e At<VariableName>,
    pub(super) path: &'e At<FilePath>,
    pub(super) service_connection: &'e At<DirectoryId>,
}

impl Keys<'_> {
    /// Judges the keys and looks the token up, once the pipeline runs.
    pub(super) fn settle(&self, reader: &mut Reader<'_>) -> Option<settings::TokenFrom> {
        let way = *self.from.get()?;
        let mut fits = self.meant(reader, way, TokenPlace::Env, "name", (self.name.written, &self.name.span));
        fits &= self.meant(reader, way, TokenPlace::File, "path", (self.path.written, &self.path.span));
        if self.service_connection.written && way != TokenPlace::AzureDevops {
            let message = "`service_connection` has a meaning with `from: azure_devops` only";
            let fault = FileFault::new(self.service_connection.span.clone(), message);
            reader.fault(fault.help("leave it out, or change `from`"));
            fits = false;
        }
        if !fits {
            return None;
        }
        match way {
            TokenPlace::Github => self.github(reader),
            TokenPlace::AzureDevops => self.azure_devops(reader),
            TokenPlace::Env => self.env(reader),
            TokenPlace::File => Some(settings::TokenFrom::File { path: self.path.get()?.0.clone() }),
        }
    }

    /// A key that belongs to one way stands beside it, and beside no other.
    fn meant(
        &self,
        reader: &mut Reader<'_>,
        way: TokenPlace,
        of: TokenPlace,
        key: &str,
        (written, span): (bool, &super::fault::Span),
    ) -> bool {
        let word = match of {
            TokenPlace::Github => "github",
            TokenPlace::AzureDevops => "azure_devops",
            TokenPlace::Env => "env",
            TokenPlace::File => "file",
        };
        let fault = match (way == of, written) {
            (true, false) => {
                let fault = FileFault::new(self.from.span.clone(), format!("the key `{key}` is missing"));
                fault.help(format!("write `{{ from: {word}, {key}: … }}`"))
            }
            (false, true) => {
                let fault = FileFault::new(span.clone(), format!("`{key}` has a meaning with `from: {word}` only"));
                fault.help("leave it out, or change `from`")
            }
            (true, true) | (false, false) => return true,
        };
        reader.fault(fault);
        false
    }

    /// docs/wire/microsoft-graph.md §1.3, docs/wire/google-directory.md §1.5.
    fn github(&self, reader: &mut Reader<'_>) -> Option<settings::TokenFrom> {
        const URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
        const TOKEN: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";
        let environment = reader.environment()?;
        let (Some(url), Some(token)) = (variable(environment, URL), variable(environment, TOKEN)) else {
            let fault =
                FileFault::new(self.from.span.clone(), format!("GitHub hands out no token: `{URL}` is not set"));
            reader.fault(
                fault.help("give the job `permissions: { id-token: write }`; a job of a fork has no such right"),
            );
            return None;
        };
        let url = self.address(reader, (URL, &url), "GitHub Actions sets it; do not set it yourself")?;
        Some(settings::TokenFrom::Github { url, token: Secret::new(token) })
    }

    /// docs/wire/microsoft-graph.md §1.3.
    fn azure_devops(&self, reader: &mut Reader<'_>) -> Option<settings::TokenFrom> {
        const URL: &str = "SYSTEM_OIDCREQUESTURI";
        const TOKEN: &str = "SYSTEM_ACCESSTOKEN";
        // The Azure CLI's task names the connection that it was given.
        const CONNECTION: &str = "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID";
        let environment = reader.environment()?;
        let [url, token, told] = [URL, TOKEN, CONNECTION].map(|name| variable(environment, name));
        let written = match self.service_connection.written {
            true => Some(self.service_connection.get()?.0.clone()),
            false => None,
        };
        let (Some(url), Some(token), Some(connection)) = (&url, &token, written.or(told)) else {
            let (missing, help) = if url.is_none() {
                (URL, "Azure Pipelines sets it in each of its jobs; elsewhere take another `from`")
            } else if token.is_none() {
                (TOKEN, "give the step `env: { SYSTEM_ACCESSTOKEN: $(System.AccessToken) }`")
            } else {
                (CONNECTION, "write the id of the service connection: `service_connection: …`")
            };
            let message = format!("Azure Pipelines hands out no token: `{missing}` is not set");
            reader.fault(FileFault::new(self.from.span.clone(), message).help(help));
            return None;
        };
        let mut url = self.address(reader, (URL, url), "Azure Pipelines sets it; do not set it yourself")?;
        url.query_pairs_mut().append_pair("api-version", "7.1").append_pair("serviceConnectionId", &connection);
        Some(settings::TokenFrom::AzureDevops { url, token: Secret::new(token) })
    }

    /// The address that a platform left in a variable.
    fn address(&self, reader: &mut Reader<'_>, (name, text): (&str, &str), help: &'static str) -> Option<Url> {
        let Some(url) = web_url(text) else {
            let fault = FileFault::new(self.from.span.clone(), format!("the value of `{name}` is not a URL"));
            reader.fault(fault.help(help));
            return None;
        };
        BaseUrl(url.clone()).refuse_clear(reader, &self.from.span);
        Some(url)
    }

    fn env(&self, reader: &mut Reader<'_>) -> Option<settings::TokenFrom> {
        let name = &self.name.get()?.0;
        let Some(token) = variable(reader.environment()?, name) else {
            let message = format!("the environment variable `{name}` is not set");
            let fault = FileFault::new(self.name.span.clone(), message);
            reader.fault(fault.help(format!("declare `{name}` under `id_tokens` of the GitLab job, with its `aud`")));
            return None;
        };
        Some(settings::TokenFrom::Env { name: name.clone(), token: Secret::new(token) })
    }
}

/// An empty one is none.
fn variable(environment: &dyn Environment, name: &str) -> Option<String> {
    environment.var(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}
