//! The CI job that `init` writes: one of docs/guide/jobs, for this pipeline and its variables.
//!
//! Owns: what is changed in it, and where it goes. Leaves to others: what the job does (docs/guide/ci.md).
//! A newcomer gets wrong: a file that is there is somebody's own; the job goes beside it, and whoever reads it is told how.

use std::path::{Path, PathBuf};

use super::super::ci::Platform;
use super::variables::AskedFor;
use crate::input;

const GITHUB: &str = include_str!("../../../docs/guide/jobs/github.yml");
const GITLAB: &str = include_str!("../../../docs/guide/jobs/gitlab.yml");
const AZURE: &str = include_str!("../../../docs/guide/jobs/azure-devops.yml");
const JENKINS: &str = include_str!("../../../docs/guide/jobs/Jenkinsfile");

/// The file and the name of the pipeline in the jobs of docs/guide/jobs.
const FILE: &str = "pipelines/corporate.yaml";
const NAME: &str = "corporate";
/// The variables of that pipeline.
const VARIABLES: [&str; 4] = ["ENTRA_TENANT_ID", "ENTRA_CLIENT_ID", "ENTRA_CLIENT_SECRET", "JIRA_PASSWORD"];

/// The name of the platform.
pub(super) fn title(platform: Platform) -> &'static str {
    match platform {
        Platform::GitHub => "GitHub Actions",
        Platform::GitLab => "GitLab CI/CD",
        Platform::AzureDevOps => "Azure Pipelines",
        Platform::Jenkins => "Jenkins",
    }
}

/// Where the platform looks for its jobs, and where one lies if that is taken; what is no job of GitHub is told of by hand.
fn places(platform: Platform, name: &str) -> [String; 2] {
    match platform {
        Platform::GitHub => {
            return [".github/workflows/avatars.yml".to_owned(), format!(".github/workflows/avatars-{name}.yml")];
        }
        Platform::GitLab => [".gitlab-ci.yml", "avatars.gitlab-ci.yml"],
        Platform::AzureDevOps => ["azure-pipelines.yml", "avatars.azure-pipelines.yml"],
        Platform::Jenkins => ["Jenkinsfile", "avatars.Jenkinsfile"],
    }
    .map(str::to_owned)
}

/// The largest settings of a repository, in bytes.
const LARGEST: u64 = 1 << 20;

/// The platform whose files lie in the folder, or where the repository's origin is.
pub(super) fn platform_of(folder: &Path) -> Option<Platform> {
    let all = [Platform::GitHub, Platform::GitLab, Platform::AzureDevOps, Platform::Jenkins];
    let there = |platform: &Platform| match platform {
        Platform::GitHub => folder.join(".github").is_dir(),
        other => folder.join(&places(*other, "")[0]).exists(),
    };
    all.into_iter().find(there).or_else(|| origin(&input::text(&folder.join(".git/config"), LARGEST).ok()?))
}

/// <https://git-scm.com/docs/git-config#_syntax>: the first address of the remote `origin`.
fn origin(config: &str) -> Option<Platform> {
    let section = config.split("[remote \"origin\"]").nth(1)?;
    let lines = section.lines().map(str::trim).take_while(|line| !line.starts_with('['));
    let url = lines.filter_map(|line| line.strip_prefix("url")?.trim_start().strip_prefix('=')).next()?;
    let url = url.trim();
    let behind = url.split_once("://").map_or(url, |(_, rest)| rest);
    let place = behind.split('/').next()?;
    let host = place.rsplit('@').next()?.split(':').next()?.to_lowercase();
    match host.as_str() {
        "github.com" => Some(Platform::GitHub),
        "dev.azure.com" | "ssh.dev.azure.com" => Some(Platform::AzureDevOps),
        host if host.ends_with(".visualstudio.com") => Some(Platform::AzureDevOps),
        host if host.split('.').next() == Some("gitlab") => Some(Platform::GitLab),
        _ => None,
    }
}

/// A job to be written.
pub(super) struct Job {
    pub(super) path: PathBuf,
    pub(super) text: String,
    /// What somebody has to do so that the platform finds it.
    pub(super) found_by: Option<&'static str>,
}

/// The job of a pipeline on a platform.
///
/// `pictures`: the folders that it writes pictures to; with the machine of a job they would go.
pub(super) fn job(
    platform: Platform,
    folder: &Path,
    file: &Path,
    name: &str,
    asked_for: &[AskedFor],
    pictures: &[String],
) -> Job {
    let [usual, beside] = places(platform, name);
    let taken = folder.join(&usual).symlink_metadata().is_ok();
    let path = if taken { beside } else { usual };
    let found_by = match platform {
        Platform::GitHub => None,
        _ if !taken => None,
        Platform::GitLab => {
            Some("include it in .gitlab-ci.yml, or name it in a project of its own under CI/CD configuration file")
        }
        Platform::AzureDevOps => Some("make a pipeline of it: New pipeline, Existing Azure Pipelines YAML file"),
        Platform::Jenkins => Some("make a multibranch pipeline with it as Script Path"),
    };
    Job { path: path.into(), text: handing_on(&text(platform, file, name, asked_for), platform, pictures), found_by }
}

/// The job with folders of pictures beside the report in what its last step hands on.
fn handing_on(job: &str, platform: Platform, pictures: &[String]) -> String {
    if pictures.is_empty() {
        return job.to_owned();
    }
    let (report, with_pictures) = match platform {
        Platform::GitHub => {
            let lines: String = pictures.iter().map(|path| format!("\n            {path}/")).collect();
            ("path: report/\n", format!("path: |\n            report/{lines}\n"))
        }
        Platform::GitLab => {
            let paths: String = pictures.iter().map(|path| format!(", {path}/")).collect();
            ("paths: [report/]", format!("paths: [report/{paths}]"))
        }
        Platform::AzureDevOps => {
            let report = "                - publish: report\n                  artifact: report\n                  condition: always()\n";
            let steps = pictures.iter().map(|path| {
                let artifact = path.replace('/', "-");
                report
                    .replace("publish: report", &format!("publish: {path}"))
                    .replace("artifact: report", &format!("artifact: {artifact}"))
            });
            (report, format!("{report}{}", steps.collect::<String>()))
        }
        Platform::Jenkins => {
            let paths: String = pictures.iter().map(|path| format!(",{path}/**")).collect();
            ("artifacts: 'report/*'", format!("artifacts: 'report/*{paths}'"))
        }
    };
    job.replace(report, &with_pictures)
}

fn text(platform: Platform, file: &Path, name: &str, asked_for: &[AskedFor]) -> String {
    let job = match platform {
        Platform::GitHub => GITHUB,
        Platform::GitLab => GITLAB,
        Platform::AzureDevOps => AZURE,
        Platform::Jenkins => JENKINS,
    };
    let job = match platform {
        Platform::GitHub => in_place(job, asked_for, |one| {
            let from = if one.is_secret { "secrets" } else { "vars" };
            format!("{0}: ${{{{ {from}.{0} }}}}", one.name)
        }),
        Platform::AzureDevOps => in_place(job, asked_for, |one| format!("{0}: $({0})", one.name)),
        Platform::Jenkins => {
            let open: Vec<_> = asked_for.iter().filter(|one| !one.is_secret).cloned().collect();
            bound(&in_place(job, &open, |one| format!("{} = 'CHANGE-ME'", one.name)), asked_for)
        }
        // Variables of the environment need no word in the job.
        Platform::GitLab => job.to_owned(),
    };
    job.replace(FILE, &file.to_string_lossy()).replace(NAME, name)
}

/// The job with these variables where it hands on those of its own pipeline.
fn in_place(job: &str, variables: &[AskedFor], line_of: impl Fn(&AskedFor) -> String) -> String {
    let mut out = String::new();
    let mut within = false;
    for line in job.lines() {
        let text = line.trim_start();
        let handed = VARIABLES.iter().any(|name| {
            text.strip_prefix(name).is_some_and(|rest| rest.starts_with(": $") || rest.starts_with(" = '"))
        });
        if !handed {
            out += line;
            out.push('\n');
        } else if !within {
            let indent = &line[..line.len() - text.len()];
            out.extend(variables.iter().map(|one| format!("{indent}{}\n", line_of(one))));
        }
        within = handed;
    }
    out
}

/// Jenkins' secrets, each under the variable's name in small letters.
fn bound(job: &str, asked_for: &[AskedFor]) -> String {
    const BEGIN: &str = "withCredentials([string(credentialsId: 'entra-client-secret'";
    const END: &str = "variable: 'JIRA_PASSWORD')]) {";
    let id = |name: &str| name.to_lowercase().replace('_', "-");
    let secrets: Vec<_> = asked_for.iter().filter(|one| one.is_secret).collect();
    let named: Vec<_> = secrets.iter().map(|one| format!("`{}`", id(&one.name))).collect();
    let mut rest = &*job.replace(
        "`entra-client-secret` and `jira-password` (secret texts)",
        &format!("{} (secret texts)", named.join(", ")),
    );
    let mut out = String::new();
    while let Some((before, behind)) = rest.split_once(BEGIN) {
        let indent = before.len() - before.rfind('\n').map_or(0, |at| at + 1);
        let apart = format!(",\n{}", " ".repeat(indent + "withCredentials([".len()));
        let all =
            secrets.iter().map(|one| format!("string(credentialsId: '{}', variable: '{}')", id(&one.name), one.name));
        out += before;
        out += &format!("withCredentials([{}]) {{", all.collect::<Vec<_>>().join(&apart));
        rest = behind.split_once(END).map_or("", |(_, behind)| behind);
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origin_tells_the_platform() {
        for (url, expected) in [
            ("https://github.com/o/r.git", Some(Platform::GitHub)),
            ("git@github.com:o/r.git", Some(Platform::GitHub)),
            ("ssh://git@gitlab.example.com:2222/g/p.git", Some(Platform::GitLab)),
            ("https://user@dev.azure.com/o/p/_git/r", Some(Platform::AzureDevOps)),
            ("git@ssh.dev.azure.com:v3/o/p/r", Some(Platform::AzureDevOps)),
            ("https://contoso.visualstudio.com/p/_git/r", Some(Platform::AzureDevOps)),
            ("https://git.example.com/github.com", None),
        ] {
            let config = format!(
                "[core]\n\tbare = false\n[remote \"origin\"]\n\turl = {url}\n\tfetch = +refs\n[branch \"main\"]\n"
            );
            assert_eq!(origin(&config), expected, "{url}");
        }
        assert_eq!(origin("[remote \"other\"]\n\turl = https://github.com/o/r\n"), None);
    }

    #[test]
    fn folders_of_pictures_are_handed_on_once() {
        for (platform, handed_on) in [
            (Platform::GitHub, "          path: |\n            report/\n            out/faces/\n"),
            (Platform::GitLab, "    paths: [report/, out/faces/]\n"),
            (Platform::AzureDevOps, "                - publish: out/faces\n                  artifact: out-faces\n"),
            (Platform::Jenkins, "artifacts: 'report/*,out/faces/**'"),
        ] {
            let text =
                job(platform, Path::new("/nowhere"), Path::new("mine.yaml"), "mine", &[], &["out/faces".to_owned()])
                    .text;
            assert_eq!(text.matches(handed_on).count(), 1, "{platform:?}\n{text}");
        }
    }

    /// Every place where a job names the variables, the file or the name of its own pipeline is found.
    #[test]
    fn nothing_of_the_example_is_left_in_a_job() {
        let asked_for = |name: &str, is_secret| AskedFor { name: name.to_owned(), is_secret };
        let asked_for =
            [asked_for("GOOGLE_SUBJECT", false), asked_for("WIKI_TOKEN", true), asked_for("BB_PASSWORD", true)];
        for platform in [Platform::GitHub, Platform::GitLab, Platform::AzureDevOps, Platform::Jenkins] {
            let text = text(platform, Path::new("here/mine.yaml"), "mine", &asked_for);
            for gone in VARIABLES.iter().chain(&[NAME, "entra-client-secret", "jira-password"]) {
                assert!(!text.contains(gone), "{gone} of {platform:?}\n{text}");
            }
            assert!(text.contains("here/mine.yaml"), "{platform:?}");
            for one in &asked_for {
                let times = if platform == Platform::GitLab { 0 } else { 1 };
                assert!(text.matches(&one.name).count() >= times, "{one:?} of {platform:?}\n{text}");
            }
            if platform != Platform::Jenkins {
                let read: serde_json::Value =
                    serde_yaml::from_str(&text).unwrap_or_else(|fault| panic!("{platform:?}: {fault}\n{text}"));
                assert!(read.is_object(), "{platform:?}");
            }
        }
    }
}
