//! What an element of a pipeline file says where a simulator stands behind it: for `--sandbox`, and for the tests.
//!
//! Owns: which simulators an element needs, and the keys that their addresses and accounts go to.
//! Leaves to others: the simulators (`sandbox`), and where secrets lie meanwhile ([`Keeper`]).
//! A newcomer gets wrong: a kind that nothing is said of here is a server with `base_url` and `credential`.

use avatarpipe_sandbox::{Running, Secret};

use crate::pipeline::KeyTexts;

/// Where a secret lies, so that the file only names it.
pub trait Keeper {
    /// Keeps the value of a key; `${…}` that gives it.
    fn secret(&mut self, key: &'static str, value: &str) -> String;

    /// Keeps a file; its path.
    ///
    /// # Errors
    ///
    /// Why that is not possible.
    fn file(&mut self, name: &str, text: &str) -> Result<String, String>;
}

/// What the element says. `credential` is the first key of the one that it has: a token, or a name and a password.
///
/// # Errors
///
/// What the world lacks.
pub fn simulated_keys(
    running: &Running,
    kind: &str,
    id: &str,
    credential: Option<&str>,
    keeper: &mut dyn Keeper,
) -> Result<KeyTexts, String> {
    let behind = Behind { running, kind, id };
    match kind {
        "entra" => behind.entra(keeper),
        "google" => behind.google(keeper),
        _ => behind.server(credential, keeper),
    }
}

/// The simulators behind one element.
struct Behind<'a> {
    running: &'a Running,
    kind: &'a str,
    id: &'a str,
}

impl Behind<'_> {
    fn entra(&self, keeper: &mut dyn Keeper) -> Result<KeyTexts, String> {
        let (login, graph) = (self.part("login")?, self.part("graph")?);
        let app = |user: String, secret: Secret| match secret {
            Secret::App { tenant, client_secret } => Some((tenant, user, client_secret)),
            _ => None,
        };
        let (tenant, client_id, secret) = self.account(login.name, app).ok_or("an app registration")?;
        let secret = keeper.secret("client_secret", &secret);
        let (login, graph) = (quoted(login.url), quoted(graph.url));
        Ok(vec![
            ("tenant", Some(quoted(&tenant))),
            ("client_id", Some(quoted(&client_id))),
            ("credential", Some(format!("{{ client_secret: '{secret}' }}"))),
            ("endpoints", Some(format!("{{ login: {login}, graph: {graph} }}"))),
        ])
    }

    /// The key is a file, as with a customer.
    fn google(&self, keeper: &mut dyn Keeper) -> Result<KeyTexts, String> {
        let parts =
            [("token", "token"), ("directory", "directory"), ("sts", "sts"), ("iam_credentials", "iamcredentials")];
        let url = |(key, part): (&str, &str)| -> Result<String, String> {
            Ok(format!("{key}: {}", quoted(self.part(part)?.url)))
        };
        let endpoints = parts.into_iter().map(url).collect::<Result<Vec<_>, _>>()?.join(", ");
        let account = |_: String, secret: Secret| match secret {
            Secret::ServiceAccount { key_file, subject, customer } => Some((key_file, subject, customer)),
            _ => None,
        };
        let (key, subject, customer) = self.account(self.part("token")?.name, account).ok_or("a service account")?;
        let file = keeper.file(&format!("{}-key.json", self.id), &key.to_string())?;
        Ok(vec![
            ("customer", Some(quoted(&customer))),
            ("subject", subject.map(|subject| quoted(&subject))),
            ("credential", Some(format!("{{ service_account_file: {} }}", quoted(&file)))),
            ("endpoints", Some(format!("{{ {endpoints} }}"))),
        ])
    }

    /// With a credential of the kind that the file has, if there is one.
    fn server(&self, credential: Option<&str>, keeper: &mut dyn Keeper) -> Result<KeyTexts, String> {
        let server = self.simulator([self.id.to_owned(), self.kind.to_owned()])?;
        let token = |_: String, secret: Secret| match secret {
            Secret::Token(token) => Some((None::<String>, token)),
            _ => None,
        };
        let password = |user: String, secret: Secret| match secret {
            Secret::Password(password) => Some((Some(user), password)),
            _ => None,
        };
        let (token, password) = (self.account(server.name, token), self.account(server.name, password));
        let account = if credential == Some("token") { token.or(password) } else { password.or(token) };
        let credential = match account.ok_or("a service account")? {
            (None, token) => format!("{{ token: '{}' }}", keeper.secret("token", &token)),
            (Some(user), password) => {
                format!("{{ username: {}, password: '{}' }}", quoted(&user), keeper.secret("password", &password))
            }
        };
        Ok(vec![("base_url", Some(quoted(server.url))), ("credential", Some(credential))])
    }

    /// One of several simulators behind an element.
    fn part(&self, part: &str) -> Result<Simulator<'_>, String> {
        self.simulator([format!("{}-{part}", self.id), part.to_owned()])
    }

    /// The simulator that has the element's id, else the one that has the plain name.
    fn simulator(&self, names: [String; 2]) -> Result<Simulator<'_>, String> {
        let known = self.running.endpoints();
        let found = names.iter().find_map(|name| known.get_key_value(name));
        let (name, url) = found.ok_or_else(|| format!("a simulator for `{}`", self.kind))?;
        Ok(Simulator { name, url })
    }

    /// The first account of a simulator that this function makes something of.
    fn account<T>(&self, simulator: &str, of: impl Fn(String, Secret) -> Option<T>) -> Option<T> {
        let mut all = self.running.credentials().into_iter().filter(|credential| credential.simulator == simulator);
        all.find_map(|credential| of(credential.user, credential.secret))
    }
}

/// Where a simulator answers.
struct Simulator<'a> {
    name: &'a str,
    url: &'a str,
}

/// A text as YAML, which means itself.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''").replace("${", "$${"))
}
