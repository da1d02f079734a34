//! What `.ci/package` and `.ci/Containerfile` take is there, and they agree with the jobs of the guide.
//!
//! Owns: their names of files, the version and the user. Leaves to others: building them (`.ci/package`).
//! A newcomer gets wrong: what lies in `target/staged` is made by the script, which names it there.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

const STAGED: &str = "target/staged/";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The package as cargo reads it.
fn package() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1", "--manifest-path"])
        .arg(root().join("Cargo.toml"))
        .output()
        .expect("cargo");
    let all: Value = serde_json::from_slice(&output.stdout).expect("its JSON");
    let packages = all["packages"].as_array().expect("packages");
    packages.iter().find(|package| package["name"] == "avatarpipe").expect("this package").clone()
}

/// Files of a pattern whose last part may have one `*`.
fn matches(pattern: &str) -> usize {
    let (folder, name) = pattern.rsplit_once('/').unwrap_or((".", pattern));
    let (head, tail) = name.split_once('*').unwrap_or((name, ""));
    let is_exact = !name.contains('*');
    let entries = std::fs::read_dir(root().join(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    names
        .filter(|found| if is_exact { found == name } else { found.starts_with(head) && found.ends_with(tail) })
        .count()
}

#[test]
fn each_file_of_a_package_is_there_or_made_by_the_script() {
    let (package, script) = (package(), read(".ci/package"));
    let sources = |format: &str| -> Vec<String> {
        let assets = package["metadata"][format]["assets"].as_array().unwrap_or_else(|| panic!("assets of {format}"));
        let source = |asset: &Value| asset.get("source").unwrap_or(&asset[0]).as_str().expect("a path").to_owned();
        assets.iter().map(source).collect()
    };
    let (deb, mut rpm) = (sources("deb"), sources("generate-rpm"));
    // Debian has the Apache licence as its file of the copyright.
    rpm.retain(|source| source != "LICENSE-APACHE");
    assert_eq!(deb, rpm, "both packages hold the same");
    for source in &deb {
        match source.strip_prefix(STAGED) {
            Some(made) => {
                let folder = made.split('/').next().unwrap_or(made);
                assert!(script.contains(&format!("$staged/{folder}")), ".ci/package makes no {made}");
            }
            None => assert!(matches(source) > 0, "{source} is not there"),
        }
    }
}

#[test]
fn the_image_copies_what_the_script_lays_out_and_runs_as_the_jobs_do() {
    let (image, script) = (read(".ci/Containerfile"), read(".ci/package"));
    let version = package()["version"].as_str().expect("a version").to_owned();
    let job = read("docs/guide/jobs/kubernetes-cronjob.yaml");
    assert!(image.contains(&format!("avatarpipe:{version}")) && job.contains(&format!("avatarpipe:{version}")));
    let user = job.lines().find_map(|line| line.trim().strip_prefix("runAsUser: ")).expect("a user");
    assert!(image.contains(&format!("\nUSER {user}:{user}\n")), "the job runs as {user}");
    let laid_out: Vec<_> = script.lines().filter(|line| line.contains("\"$out/\"")).collect();
    let copied = image.lines().filter_map(|line| line.strip_prefix("COPY "));
    let copied: Vec<_> =
        copied.flat_map(|line| line.split(' ').rev().skip(1).filter(|word| !word.starts_with("--"))).collect();
    assert!(copied.contains(&"avatarpipe"));
    for file in copied {
        assert!(laid_out.iter().any(|line| line.contains(file)), "{file} does not lie in the folder of .ci/package");
    }
}
