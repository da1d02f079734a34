//! The CI platform that the program runs on, known by the variables that each sets.
//!
//! Owns: recognising it, whom it names as who began the job, and the lines by which it shows a fault on its place in a file. Leaves to others: the faults
//! (`pipeline`).
//! A newcomer gets wrong: these lines are commands to whoever reads them, so what stands in them is escaped as the platform
//! says; a message must not begin a command of its own.

use std::fmt;

use crate::secret::outlet;
use crate::state::host;

/// A CI platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Platform {
    /// GitHub Actions: <https://docs.github.com/en/actions/reference/variables-reference>.
    GitHub,
    /// GitLab CI/CD: <https://docs.gitlab.com/ci/variables/predefined_variables/>.
    GitLab,
    /// Azure Pipelines: <https://learn.microsoft.com/azure/devops/pipelines/build/variables>.
    AzureDevOps,
    /// Jenkins: <https://www.jenkins.io/doc/book/pipeline/jenkinsfile/#using-environment-variables>.
    Jenkins,
}

impl Platform {
    /// The one whose variables are set.
    pub(super) fn here() -> Option<Self> {
        Self::by(variable)
    }

    fn by(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let is_true = |name| variable(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        if is_true("GITHUB_ACTIONS") {
            Some(Self::GitHub)
        } else if is_true("GITLAB_CI") {
            Some(Self::GitLab)
        } else if is_true("TF_BUILD") {
            Some(Self::AzureDevOps)
        } else if variable("JENKINS_URL").is_some_and(|value| !value.is_empty()) {
            Some(Self::Jenkins)
        } else {
            None
        }
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Characters kept of who began a run.
const ROOM: usize = 300;

/// Who began this: whom the platform names, with the place of the job there; without a platform the user and the machine.
pub(super) fn started_by() -> String {
    outlet::line(&identity(Platform::here(), user, variable)).chars().take(ROOM).collect()
}

/// The user whose process this is. A name alone could be anybody's: whoever begins a run chooses `USER`.
fn user() -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;
    let id = std::fs::metadata("/proc/self").ok().map(|process| process.uid());
    named_user(id, &std::fs::read_to_string("/etc/passwd").unwrap_or_default(), variable)
}

/// The name of a user id; where the machine's own list has none (a directory service, a container) what `USER` says, with the id.
fn named_user(id: Option<u32>, passwd: &str, variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    let said = ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(&variable);
    let Some(id) = id else { return said };
    let line = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let listed =
        line.filter(|line| line.get(2) == Some(&id.to_string().as_str())).find_map(|line| line.first().copied());
    Some(match (listed, said) {
        (Some(name), _) => name.to_owned(),
        (None, Some(said)) => format!("{said} (user id {id})"),
        (None, None) => format!("user id {id}"),
    })
}

fn identity(
    platform: Option<Platform>,
    user: impl Fn() -> Option<String>,
    variable: impl Fn(&str) -> Option<String>,
) -> String {
    let (who, place) = match platform {
        Some(Platform::GitHub) => {
            (variable("GITHUB_ACTOR"), page(platform, &variable).unwrap_or_else(|| "GitHub Actions".to_owned()))
        }
        Some(Platform::GitLab) => {
            (variable("GITLAB_USER_LOGIN"), page(platform, &variable).unwrap_or_else(|| "GitLab CI/CD".to_owned()))
        }
        Some(Platform::AzureDevOps) => {
            let build = variable("BUILD_BUILDID").map_or(String::new(), |id| format!(", build {id}"));
            (variable("BUILD_REQUESTEDFOR"), format!("Azure Pipelines{build}"))
        }
        Some(Platform::Jenkins) => {
            (variable("BUILD_USER_ID"), page(platform, &variable).unwrap_or_else(|| "Jenkins".to_owned()))
        }
        None => {
            let Some(user) = user() else { return host() };
            let before = variable("SUDO_USER").filter(|before| *before != user);
            let sudo = before.map(|before| format!(", by sudo of {before}")).unwrap_or_default();
            return format!("{user}@{}{sudo}", host());
        }
    };
    who.map_or(place.clone(), |who| format!("{who} ({place})"))
}

/// The page of the job that this runs in.
pub(super) fn job_page() -> Option<String> {
    page(Platform::here(), variable)
}

fn page(platform: Option<Platform>, variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    match platform? {
        Platform::GitHub => {
            let server = variable("GITHUB_SERVER_URL").unwrap_or_else(|| "https://github.com".to_owned());
            let (repository, id) = variable("GITHUB_REPOSITORY").zip(variable("GITHUB_RUN_ID"))?;
            Some(format!("{server}/{repository}/actions/runs/{id}"))
        }
        Platform::GitLab => variable("CI_JOB_URL"),
        Platform::AzureDevOps => {
            let (organisation, project) = variable("SYSTEM_COLLECTIONURI").zip(variable("SYSTEM_TEAMPROJECT"))?;
            let (project, id) = (project.replace(' ', "%20"), variable("BUILD_BUILDID")?);
            Some(format!("{}/{project}/_build/results?buildId={id}", organisation.trim_end_matches('/')))
        }
        Platform::Jenkins => variable("BUILD_URL"),
    }
}

/// How much an annotation weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AnnotationLevel {
    /// It must be mended.
    Error,
    /// It will hardly do what is wanted.
    Warning,
}

/// Something that a platform shows on a line of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Annotation<'a> {
    /// How much it weighs.
    pub weight: AnnotationLevel,
    /// The file, as it was named.
    pub file: &'a str,
    /// Line and column, counted from 1; `None`: the file as a whole.
    pub place: Option<(usize, usize)>,
    /// In a sentence or two.
    pub message: &'a str,
}

/// A workflow command: <https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions>.
pub(super) struct GitHubCommand<'a>(pub Annotation<'a>);

impl fmt::Display for GitHubCommand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Annotation { weight, file, place, message } = &self.0;
        let word = match weight {
            AnnotationLevel::Error => "error",
            AnnotationLevel::Warning => "warning",
        };
        write!(f, "::{word} file={}", escaped(file, &GITHUB_PROPERTY))?;
        if let Some((line, column)) = place {
            write!(f, ",line={line},col={column}")?;
        }
        write!(f, ",title=avatarpipe::{}", escaped(message, &GITHUB_DATA))
    }
}

const GITHUB_DATA: [(char, &str); 3] = [('%', "%25"), ('\r', "%0D"), ('\n', "%0A")];
const GITHUB_PROPERTY: [(char, &str); 5] = [('%', "%25"), ('\r', "%0D"), ('\n', "%0A"), (':', "%3A"), (',', "%2C")];

/// A logging command: <https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands>.
pub(super) struct AzureCommand<'a>(pub Annotation<'a>);

impl fmt::Display for AzureCommand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Annotation { weight, file, place, message } = &self.0;
        let word = match weight {
            AnnotationLevel::Error => "error",
            AnnotationLevel::Warning => "warning",
        };
        write!(f, "##vso[task.logissue type={word};sourcepath={}", escaped(file, &AZURE))?;
        if let Some((line, column)) = place {
            write!(f, ";linenumber={line};columnnumber={column}")?;
        }
        write!(f, "]{}", escaped(message, &AZURE))
    }
}

/// Has a Markdown file shown with the job: <https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands#uploadsummary-add-some-markdown-content-to-the-build-summary>.
pub(super) struct AzureSummary<'a>(pub &'a str);

impl fmt::Display for AzureSummary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "##vso[task.uploadsummary]{}", escaped(self.0, &AZURE))
    }
}

const AZURE: [(char, &str); 5] = [('%', "%AZP25"), ('\r', "%0D"), ('\n', "%0A"), (';', "%3B"), (']', "%5D")];

fn escaped(text: &str, escapes: &[(char, &str)]) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match escapes.iter().find(|(escaped, _)| *escaped == c) {
            Some((_, with)) => out.push_str(with),
            None => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_platform_is_known_by_its_own_variable() {
        for (name, value, expected) in [
            ("GITHUB_ACTIONS", "true", Some(Platform::GitHub)),
            ("GITHUB_ACTIONS", "false", None),
            ("GITLAB_CI", "true", Some(Platform::GitLab)),
            ("TF_BUILD", "True", Some(Platform::AzureDevOps)),
            ("JENKINS_URL", "https://ci.example.com/", Some(Platform::Jenkins)),
            ("JENKINS_URL", "", None),
            ("CI", "true", None),
        ] {
            assert_eq!(Platform::by(|asked| (asked == name).then(|| value.to_owned())), expected, "{name}={value}");
        }
    }

    #[test]
    fn who_began_it_is_whom_the_platform_names() {
        let named = |platform, set: &[(&str, &str)]| {
            let variable =
                |asked: &str| set.iter().find(|(name, _)| *name == asked).map(|(_, value)| (*value).to_owned());
            identity(platform, || variable("real"), variable)
        };
        let github = [("GITHUB_ACTOR", "octocat"), ("GITHUB_REPOSITORY", "o/r"), ("GITHUB_RUN_ID", "17")];
        let jenkins = [("BUILD_URL", "https://ci.example.com/job/a/7/")];
        let azure = [("BUILD_REQUESTEDFOR", "Ada Lovelace"), ("BUILD_BUILDID", "9")];
        let gitlab = [("GITLAB_USER_LOGIN", "ada"), ("CI_JOB_URL", "https://gitlab.example.com/g/p/-/jobs/5")];
        for (platform, set, expected) in [
            (Platform::GitHub, &github[..], "octocat (https://github.com/o/r/actions/runs/17)"),
            (Platform::GitLab, &gitlab, "ada (https://gitlab.example.com/g/p/-/jobs/5)"),
            (Platform::AzureDevOps, &azure, "Ada Lovelace (Azure Pipelines, build 9)"),
            (Platform::Jenkins, &jenkins, "https://ci.example.com/job/a/7/"),
            (Platform::GitLab, &[], "GitLab CI/CD"),
        ] {
            assert_eq!(named(Some(platform), set), expected);
        }
        assert_eq!(named(None, &[("real", "ada"), ("USER", "ceo")]), format!("ada@{}", host()));
        let sudo = [("real", "root"), ("SUDO_USER", "ada")];
        assert_eq!(named(None, &sudo), format!("root@{}, by sudo of ada", host()));
        assert_eq!(named(None, &[]), host());
    }

    #[test]
    fn a_user_is_who_the_process_belongs_to() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nada:x:1000:1000::/home/ada:/bin/sh\n";
        for (id, said, expected) in [
            (Some(1000), Some("ceo"), Some("ada")),
            (Some(0), None, Some("root")),
            (Some(10001), Some("ada"), Some("ada (user id 10001)")),
            (Some(10001), None, Some("user id 10001")),
            (None, Some("ada"), Some("ada")),
            (None, None, None),
        ] {
            let variable = |asked: &str| said.filter(|_| asked == "USER").map(str::to_owned);
            assert_eq!(named_user(id, passwd, variable).as_deref(), expected, "{id:?} {said:?}");
        }
    }

    #[test]
    fn a_job_has_a_page_where_the_platform_names_it() {
        let azure = [
            ("SYSTEM_COLLECTIONURI", "https://dev.azure.com/contoso/"),
            ("SYSTEM_TEAMPROJECT", "Team Tools"),
            ("BUILD_BUILDID", "9"),
        ];
        let named = |asked: &str| azure.iter().find(|(name, _)| *name == asked).map(|(_, value)| (*value).to_owned());
        let expected = "https://dev.azure.com/contoso/Team%20Tools/_build/results?buildId=9";
        assert_eq!(page(Some(Platform::AzureDevOps), named).as_deref(), Some(expected));
        assert_eq!(page(Some(Platform::GitHub), named), None);
        assert_eq!(page(None, named), None);
    }

    #[test]
    fn a_message_cannot_begin_a_command_of_its_own() {
        let hostile = Annotation {
            weight: AnnotationLevel::Error,
            file: "a,b:c;d].yaml",
            place: Some((3, 7)),
            message: "100% wrong\n::set-output name=x::y\r\n##vso[task.setvariable variable=x]y;",
        };
        assert_eq!(
            GitHubCommand(hostile).to_string(),
            "::error file=a%2Cb%3Ac;d].yaml,line=3,col=7,title=avatarpipe::100%25 wrong%0A::set-output \
             name=x::y%0D%0A##vso[task.setvariable variable=x]y;"
        );
        assert_eq!(
            AzureCommand(hostile).to_string(),
            "##vso[task.logissue type=error;sourcepath=a,b:c%3Bd%5D.yaml;linenumber=3;columnnumber=7]100%AZP25 \
             wrong%0A::set-output name=x::y%0D%0A##vso[task.setvariable variable=x%5Dy%3B"
        );
        assert_eq!(AzureSummary("/a;b]\n##vso[x]").to_string(), "##vso[task.uploadsummary]/a%3Bb%5D%0A##vso[x%5D");
        let whole = Annotation { place: None, weight: AnnotationLevel::Warning, file: "p.yaml", message: "m" };
        assert_eq!(GitHubCommand(whole).to_string(), "::warning file=p.yaml,title=avatarpipe::m");
    }
}
