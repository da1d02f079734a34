//! The report of a run, put besides into a bucket: where whoever is let in there sees how the last run ended.
//!
//! Owns: what is put where, and in which order. Leaves to others: the files and the page (`report`), the objects (`bucket`).
//! A newcomer gets wrong: the page comes last, so that it names nothing that is not there; and nothing of this changes what
//! the run did.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;

use super::remote;
use crate::bucket::{Objects, Served};
use crate::error::Trouble;
use crate::exit::Exit;
use crate::http::{Failure, FailureKind, LARGEST_PART, Stopping};
use crate::report::{METRICS, ReportFile, RunReport, last_run};
use crate::settings::{Bucket, Pipeline};

/// For all of it.
const ENOUGH: Duration = Duration::from_secs(5 * 60);

/// The same after a stop: whoever asked for it kills what does not end in some ten seconds.
const ENOUGH_AFTER_A_STOP: Duration = Duration::from_secs(4);

/// What may have changed with the next run, at the same address.
const LAST: &str = "no-cache";

/// What stays as it is. It is nobody's but the reader's.
const KEPT: &str = "private, max-age=3600";

/// Puts the files of a report into the bucket of the pipeline file, which were written before; says where the page is.
pub(crate) async fn put_report(
    pipeline: &Pipeline,
    bucket: &Bucket,
    report: &RunReport,
    files: &[(&ReportFile, PathBuf)],
) -> Result<String, Trouble> {
    let enough = if report.exit_code == Exit::Stopped.code() { ENOUGH_AFTER_A_STOP } else { ENOUGH };
    let put = put(pipeline, bucket, report, files);
    match tokio::time::timeout(enough, put).await {
        Ok(put) => put,
        Err(_) => {
            let found = format!("it was not done within {}", humantime::format_duration(enough));
            let tried = format!("put the report into {}", bucket.url);
            Err(Failure::new(FailureKind::Unreachable, tried, found).into())
        }
    }
}

/// What is told where somebody wanted the end sooner.
pub(crate) fn report_not_put(bucket: &Bucket) -> Trouble {
    let tried = format!("put the report into {}", bucket.url);
    Failure::new(FailureKind::Stopped, tried, "asked to stop; the run itself is not affected").into()
}

/// The bucket; nothing is asked yet.
pub(super) fn open(pipeline: &Pipeline, bucket: &Bucket) -> Result<Objects, Trouble> {
    let http = pipeline.http.get("default");
    let http = http.ok_or_else(|| Trouble::Own("no way to the bucket of reports was resolved".to_owned()))?;
    let (way, pause) = remote::way("report", http, Stopping::Never);
    Ok(Objects::open(bucket, way, pause)?)
}

async fn put(
    pipeline: &Pipeline,
    bucket: &Bucket,
    report: &RunReport,
    files: &[(&ReportFile, PathBuf)],
) -> Result<String, Trouble> {
    let objects = open(pipeline, bucket)?;
    // Below its name: two pipelines of one prefix do not write over each other's page.
    let (name, run) = (&pipeline.name, &report.run);
    let mut links = Vec::new();
    for (file, path) in files {
        let at = format!("runs/{run}/{}", file.name);
        put_file(&objects, &format!("{name}/{at}"), path, &Served::new(media_type(file.name), KEPT)).await?;
        links.push((file.name, at));
    }
    // Whoever scrapes it asks for one address.
    if let Some((file, path)) = files.iter().find(|(file, _)| file.name == METRICS.name) {
        put_file(&objects, &format!("{name}/{}", file.name), path, &Served::new(media_type(file.name), LAST)).await?;
    }
    let page = format!("{name}/index.html");
    let mut text = Some(Bytes::from(last_run(report, &links)));
    let served = Served::new(media_type(&page), LAST);
    objects.put_large(&page, &served, &mut || Ok(text.take().unwrap_or_default())).await?;
    Ok(format!("{}/{page}", bucket.url))
}

async fn put_file(objects: &Objects, name: &str, path: &Path, served: &Served) -> Result<(), Trouble> {
    let tried = || format!("read {}", path.display());
    let mut file = crate::input::open(path).map_err(Trouble::file(tried()))?;
    let mut next = || {
        let mut part = Vec::new();
        let read = file.by_ref().take(LARGEST_PART as u64).read_to_end(&mut part);
        read.map_err(|error| Failure::new(FailureKind::Misconfigured, tried(), error.to_string()))?;
        Ok(part.into())
    };
    Ok(objects.put_large(name, served, &mut next).await?)
}

/// As a browser wants to be told.
fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("md") => "text/markdown; charset=utf-8",
        Some("json") => "application/json",
        Some("xml") => "application/xml",
        Some("prom") => "text/plain; version=0.0.4; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_report_is_served_as_what_it_is() {
        for file in crate::report::FILES {
            assert_ne!(media_type(file.name), media_type(""), "{}", file.name);
        }
    }
}
