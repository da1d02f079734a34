//! Who we are for each vendor, and its own form of a condition.

use std::path::PathBuf;

use serde_json::json;
use url::Url;

use super::objects::{Condition, Objects, Put};
use super::test_store::{PAUSE, google, google_at, google_by_key, place, s3_at, store, way};
use crate::http::FailureKind;
use crate::http::loopback::{Loopback, reply, reply_json};
use crate::secret::Secret;
use crate::settings::{
    AppProof, AzureCredential, Bucket, BucketStore, Cloud, Entra, EntraCredential, EntraEndpoints, GoogleCredential,
};

fn objects(place: &Bucket) -> Objects {
    Objects::open(place, way("state"), PAUSE).unwrap()
}

fn azure(endpoint: &Url, credential: AzureCredential) -> Objects {
    let asked = BucketStore::Azure { account: Some("corp".to_owned()), credential: Some(credential) };
    objects(&place("az", Some(endpoint), asked))
}

/// A file that lives as long as the folder.
fn file(content: &serde_json::Value) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("credential.json");
    std::fs::write(&path, content.to_string()).unwrap();
    (folder, path)
}

#[tokio::test]
async fn google_goes_by_the_number_of_the_writing() {
    let (store, folder) = (store(), tempfile::tempdir().unwrap());
    let objects = objects(&google_by_key(&store, folder.path()));
    assert!(objects.get("lease").await.unwrap().is_none());
    let Put::Done(first) = objects.put("lease", "one".into(), &Condition::New).await.unwrap() else { panic!("new") };
    assert_eq!(objects.put("lease", "two".into(), &Condition::New).await.unwrap(), Put::Conflict);
    assert_eq!(objects.get("lease").await.unwrap().unwrap().tag, first);
    let Put::Done(second) = objects.put("lease", "two".into(), &Condition::Over(first.clone())).await.unwrap() else {
        panic!("over the first")
    };
    assert_eq!(objects.put("lease", "three".into(), &Condition::Over(first)).await.unwrap(), Put::Conflict);
    assert!(objects.put("lease", "three".into(), &Condition::Over(second)).await.unwrap() != Put::Conflict);
    objects.delete("lease").await.unwrap();
    objects.delete("lease").await.unwrap();
    assert!(store.objects().is_empty());
}

#[tokio::test]
async fn a_job_of_a_pool_needs_no_service_account() {
    let server = Loopback::start(|_, asked| match asked.path.as_str() {
        "/v1/token" => reply_json(200, &json!({ "access_token": "of-the-pool", "expires_in": 3600 })),
        _ => reply(404, &[], "<Error><Code>NoSuchKey</Code></Error>"),
    })
    .await;
    let (folder, path) = file(&json!({ "type": "external_account", "audience": "//iam.googleapis.com/projects/1",
        "credential_source": { "file": "PLACE" } }));
    let token = folder.path().join("token");
    std::fs::write(&token, "of-the-platform").unwrap();
    let text = std::fs::read_to_string(&path).unwrap().replace("PLACE", token.to_str().unwrap());
    std::fs::write(&path, text).unwrap();
    let objects = objects(&google(&server.url, GoogleCredential::ExternalAccountFile(path)));
    assert!(objects.get("lease").await.unwrap().is_none());
    let asked = server.asked();
    assert_eq!(asked[0].json()["subjectToken"], "of-the-platform");
    assert_eq!(
        (asked[1].path.as_str(), asked[1].header("authorization")),
        ("/avatars/p%2Flease", "Bearer of-the-pool")
    );
}

#[tokio::test]
async fn azure_is_entered_by_entra_or_by_a_signature() {
    let server = Loopback::start(|_, asked| match asked.path.contains("oauth2") {
        true => reply_json(200, &json!({ "access_token": "of-entra", "expires_in": 3600 })),
        false => reply(404, &[], "<Error><Code>BlobNotFound</Code></Error>"),
    })
    .await;
    let url = || server.url.clone();
    let entra = Entra {
        cloud: Cloud::Global,
        tenant: "contoso.example".into(),
        credential: EntraCredential::App {
            client_id: "app".into(),
            proof: AppProof::ClientSecret(Secret::new("a-secret-of-the-app")),
        },
        endpoints: EntraEndpoints { login: url(), graph: url(), imds: url() },
    };
    assert!(azure(&server.url, AzureCredential::Entra(Box::new(entra))).get("lease").await.unwrap().is_none());
    let asked = server.asked();
    let body = String::from_utf8_lossy(&asked[0].body).into_owned();
    assert!(body.contains("scope=https%3A%2F%2Fstorage.azure.com%2F.default"), "{body}");
    assert_eq!((asked[1].path.as_str(), asked[1].header("authorization")), ("/avatars/p/lease", "Bearer of-entra"));
    assert!(
        azure(&server.url, AzureCredential::Sas(Secret::new("sp=rcwd&sig=abc%2Fd")))
            .get("lease")
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(server.asked()[2].path, "/avatars/p/lease?sp=rcwd&sig=abc%2Fd");
}

#[tokio::test]
async fn a_container_that_is_missing_is_no_missing_object() {
    let server = Loopback::start(|_, _| reply(404, &[], "<Error><Code>ContainerNotFound</Code></Error>")).await;
    let objects = azure(&server.url, AzureCredential::AccountKey(Secret::new("a2V5LW9mLXRoZS1hY2NvdW50")));
    let failure = objects.get("lease").await.unwrap_err();
    assert!(failure.to_string().contains("there is no such bucket"), "{failure}");
}

/// The crate's own stream of pages has no end then, nor has it where each of them is empty.
#[tokio::test]
async fn a_listing_that_goes_round_is_no_listing() {
    const ROUND: &str = "the next page leads in a circle";
    const ENDLESS: &str = "page after page brings nobody new: the listing has no end";
    // What is the same on each page: the token, the names, or neither.
    let table =
        [(true, true, Some(ROUND)), (true, false, Some(ROUND)), (false, true, Some(ENDLESS)), (false, false, None)];
    for ((token, names, ends), vendor) in table.into_iter().flat_map(|row| [0, 1, 2].map(|vendor| (row, vendor))) {
        let server = Loopback::start(move |number, asked| {
            let token = if token { 0 } else { number };
            let token = if number < 30 { format!("t{token}") } else { String::new() };
            let name = format!("p/avatar/n{}", if names { 0 } else { number });
            let time = "2026-01-01T00:00:00.000Z";
            let page = if asked.path.contains("comp=list") {
                let of = "<Last-Modified>Thu, 01 Jan 2026 00:00:00 GMT</Last-Modified><Etag>e</Etag>";
                format!(
                    "<EnumerationResults><Blobs><Blob><Name>{name}</Name><Properties>{of}<Content-Length>1</Content-Length>\
                     <Content-Type>image/png</Content-Type></Properties></Blob></Blobs><NextMarker>{token}</NextMarker></EnumerationResults>"
                )
            } else {
                format!(
                    "<ListBucketResult><NextContinuationToken>{token}</NextContinuationToken><Contents><Key>{name}</Key>\
                     <LastModified>{time}</LastModified><ETag>e</ETag><Size>1</Size></Contents></ListBucketResult>"
                )
            };
            reply(200, &[], page)
        })
        .await;
        let folder = tempfile::tempdir().unwrap();
        let there = match vendor {
            0 => objects(&s3_at(server.url.as_str())),
            1 => objects(&google_at(server.url.as_str(), folder.path())),
            _ => azure(&server.url, AzureCredential::AccountKey(Secret::new("a2V5LW9mLXRoZS1hY2NvdW50"))),
        };
        let mut seen = 0;
        let listed = there.list("avatar", &mut |name, _, _| seen += usize::from(name.starts_with('n'))).await;
        let found = listed.as_ref().err().map(|failure| (failure.kind, failure.found.as_str()));
        assert_eq!(found, ends.map(|words| (FailureKind::Odd, words)), "{vendor}");
        assert_eq!(seen, server.asked().len(), "{vendor}: {ends:?}");
        assert!(there.first_page("avatar").await.is_ok());
    }
}
