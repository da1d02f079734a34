//! Which environment variables are set, and which a text asks for.
//!
//! Owns: the names that others have for the same thing. Leaves to others: their values, of which none is read here.
//! A newcomer gets wrong: a variable that is set and empty is none.

/// The names of the variables that are set.
pub(super) struct Variables(Vec<String>);

/// Names of one thing, the usual one first.
pub(super) type Names = &'static [&'static str];

pub(super) const TENANT: Names = &["ENTRA_TENANT_ID", "AZURE_TENANT_ID", "ARM_TENANT_ID"];
pub(super) const CLIENT: Names = &["ENTRA_CLIENT_ID", "AZURE_CLIENT_ID", "ARM_CLIENT_ID"];
pub(super) const CLIENT_SECRET: Names = &["ENTRA_CLIENT_SECRET", "AZURE_CLIENT_SECRET", "ARM_CLIENT_SECRET"];
/// As workload identity on Kubernetes sets it: <https://learn.microsoft.com/azure/aks/workload-identity-overview>.
pub(super) const TOKEN_FILE: &str = "AZURE_FEDERATED_TOKEN_FILE";
/// As the GitLab job of docs/guide/jobs names it.
pub(super) const ID_TOKEN: &str = "ENTRA_ID_TOKEN";
pub(super) const SUBJECT: &str = "GOOGLE_SUBJECT";
/// As Google's own libraries read it: <https://cloud.google.com/docs/authentication/application-default-credentials>.
pub(super) const CREDENTIALS_FILE: &str = "GOOGLE_APPLICATION_CREDENTIALS";

/// The names of what one product asks for.
pub(super) struct ProductNames {
    pub(super) url: Names,
    pub(super) username: Names,
    pub(super) password: &'static str,
    pub(super) token: &'static str,
}

pub(super) const JIRA: ProductNames = ProductNames {
    url: &["JIRA_URL", "JIRA_BASE_URL", "JIRA_SERVER"],
    username: &["JIRA_USERNAME", "JIRA_USER"],
    password: "JIRA_PASSWORD",
    token: "JIRA_TOKEN",
};
pub(super) const CONFLUENCE: ProductNames = ProductNames {
    url: &["CONFLUENCE_URL", "CONFLUENCE_BASE_URL", "WIKI_URL"],
    username: &["CONFLUENCE_USERNAME", "CONFLUENCE_USER"],
    password: "CONFLUENCE_PASSWORD",
    token: "CONFLUENCE_TOKEN",
};
pub(super) const BITBUCKET: ProductNames = ProductNames {
    url: &["BITBUCKET_URL", "BITBUCKET_BASE_URL"],
    username: &["BITBUCKET_USERNAME", "BITBUCKET_USER"],
    password: "BITBUCKET_PASSWORD",
    token: "BITBUCKET_TOKEN",
};

impl Variables {
    /// Those of the process.
    pub(super) fn of_process() -> Self {
        let set = std::env::vars_os().filter(|(_, value)| !value.is_empty());
        Self(set.filter_map(|(name, _)| name.into_string().ok()).collect())
    }

    #[cfg(test)]
    pub(super) fn of(names: &[&str]) -> Self {
        Self(names.iter().map(|name| (*name).to_owned()).collect())
    }

    /// Whether it is set.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|set| set == name)
    }

    /// The one of these that is set.
    pub(super) fn set_of(&self, names: Names) -> Option<&'static str> {
        names.iter().find(|name| self.has(name)).copied()
    }

    /// The one of these that is set, else the usual one.
    pub(super) fn named(&self, names: Names) -> &'static str {
        self.set_of(names).unwrap_or(names[0])
    }

    /// Whether anything tells of this product.
    pub(super) fn tell_of(&self, product: &ProductNames) -> bool {
        self.set_of(product.url).is_some() || self.has(product.password) || self.has(product.token)
    }
}

/// A variable that a pipeline file asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AskedFor {
    pub(super) name: String,
    /// Whether a platform keeps it as a secret.
    pub(super) is_secret: bool,
}

/// The variables without a default that a pipeline file of ours asks for, in its order; comments ask for none.
pub(super) fn asked_for(text: &str) -> Vec<AskedFor> {
    let mut all: Vec<AskedFor> = Vec::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
        for rest in line.split("${").skip(1) {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
            let (name, behind) = rest.split_at(end);
            if (behind.starts_with('}') || behind.starts_with(":?")) && all.iter().all(|known| known.name != name) {
                let is_secret = ["_SECRET", "_PASSWORD", "_TOKEN"].iter().any(|end| name.ends_with(end));
                all.push(AskedFor { name: name.to_owned(), is_secret });
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_stands_in_values() {
        let text = "a: ${A_URL:?why}\n# ${NO}\nb: { c: \"${B_TOKEN}\", d: \"${C:-x}/${A_URL}\" }\n";
        let found: Vec<_> = asked_for(text).into_iter().map(|one| (one.name, one.is_secret)).collect();
        assert_eq!(found, [("A_URL".to_owned(), false), ("B_TOKEN".to_owned(), true)]);
    }

    #[test]
    fn the_name_that_is_set_is_the_one_that_is_written() {
        assert_eq!(Variables::of(&["AZURE_TENANT_ID"]).named(TENANT), "AZURE_TENANT_ID");
        assert_eq!(Variables::of(&[]).named(TENANT), "ENTRA_TENANT_ID");
    }
}
