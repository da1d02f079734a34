//! What `auth` says of the bucket that reports are put into (docs/guide/bucket.md, "Reports").
//!
//! Owns: the look, and the object that is put there to try it. Leaves to others: the objects (`bucket`), words (`cli`).
//! A newcomer gets wrong: whoever puts reports there needs no right to read, so a look that is refused says nothing.

use bytes::Bytes;

use super::auth_report::{ElementReport, Uploads};
use super::put_report;
use crate::bucket::Served;
use crate::error::Trouble;
use crate::http::FailureKind;
use crate::load::{ProbeResult, Tried};
use crate::settings::Pipeline;

/// Looks at the bucket, or puts something there; `None`: the file has none.
pub(super) async fn ask_reports(pipeline: &Pipeline, uploads: Uploads) -> Result<Option<ElementReport>, Trouble> {
    let Some(bucket) = &pipeline.report.bucket else { return Ok(None) };
    let mut asked = ElementReport { id: bucket.url.clone(), ..ElementReport::default() };
    let objects = match put_report::open(pipeline, bucket) {
        Ok(objects) => objects,
        Err(Trouble::Failure(failure)) => return Ok(Some(ElementReport { failure: Some(failure), ..asked })),
        Err(trouble) => return Err(trouble),
    };
    if uploads == Uploads::NotTried {
        match objects.head(&format!("{}/index.html", pipeline.name)).await {
            Ok(_) => asked.tried.push(tried("look", ProbeResult::Works)),
            Err(failure) if failure.kind == FailureKind::Refused => {
                asked.tried.push(tried("look", ProbeResult::NotTried(NOT_KNOWN.to_owned())))
            }
            Err(failure) => asked.failure = Some(failure),
        }
        return Ok(Some(asked));
    }
    let name = format!("{}/avatarpipe-probe", pipeline.name);
    let mut text = Some(Bytes::from_static(b"avatarpipe tries whether it may put reports here\n"));
    match objects.put_large(&name, &Served::default(), &mut || Ok(text.take().unwrap_or_default())).await {
        Ok(()) => asked.tried.push(tried("report", ProbeResult::Works)),
        Err(failure) => {
            asked.tried.push(tried("report", ProbeResult::Fails(failure.clone())));
            asked.failure = Some(failure);
            return Ok(Some(asked));
        }
    }
    if objects.delete(&name).await.is_err() {
        let left = format!("no right to, and none is needed: `{name}` stays there");
        asked.tried.push(tried("remove", ProbeResult::NotTried(left)));
    }
    Ok(Some(asked))
}

fn tried(route: &str, told: ProbeResult) -> Tried {
    Tried { route: route.into(), told }
}

/// What is said of a look that was refused.
const NOT_KNOWN: &str = "reading is refused, as it is where reports may be put and not read, or where the credential is wrong: \
    `auth --probe` tells";
