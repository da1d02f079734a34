//! Simulators in place of what the file names.

use super::super::*;
use super::{Fixed, files, provider};
use crate::secret::Secret;
use crate::settings::*;

/// Everything that stands in place of the elements of one document, each with its own port.
fn sandbox(document: &Document) -> Overlay {
    let url = |port: u16| format!("'http://127.0.0.1:{port}'");
    let token = "{ token: '${file:a secret}' }".to_owned();
    let keys = |element: &Element| -> KeyTexts {
        let server = |port, credential: String| vec![("base_url", Some(url(port))), ("credential", Some(credential))];
        match element.kind.as_str() {
            "entra" => vec![
                ("tenant", Some("contoso".to_owned())),
                ("client_id", Some("app".to_owned())),
                ("credential", Some("{ client_secret: '${file:a secret}' }".to_owned())),
                ("endpoints", Some(format!("{{ login: {}, graph: {} }}", url(1), url(2)))),
            ],
            "google" => vec![
                ("customer", Some("C01".to_owned())),
                ("subject", None),
                ("credential", Some("{ service_account_file: sandbox/key.json }".to_owned())),
                (
                    "endpoints",
                    Some(format!(
                        "{{ token: {}, directory: {}, sts: {}, iam_credentials: {} }}",
                        url(11),
                        url(12),
                        url(13),
                        url(14)
                    )),
                ),
            ],
            "confluence" => server(4, "{ username: svc, password: '${file:a secret}' }".to_owned()),
            "bitbucket" => server(5, token.clone()),
            _ => server(3, token.clone()),
        }
    };
    // Folders are what they are, in a sandbox too.
    let elements = [("extract", document.sources()), ("load", document.targets())].into_iter();
    let elements = elements.flat_map(|(list, elements)| elements.iter().map(move |element| (list, element)));
    let laid = |(list, element): (&'static str, &Element)| {
        let (kind, id) = (element.kind.clone(), element.id.clone());
        ElementKeys { list, kind, id, keys: keys(element) }
    };
    Overlay {
        file: vec![("notify", None)],
        state: Some(KeptKeys { kept: &[], keys: vec![("path", Some("state/sandbox.db".to_owned()))] }),
        report: Some(KeptKeys { kept: &["names", "pictures"], keys: Vec::new() }),
        elements: elements.filter(|(_, element)| element.kind != "folder").map(laid).collect(),
        http: Some(KeptKeys { kept: &["timeout"], keys: vec![("proxy", Some("none".to_owned()))] }),
        kept_key: None,
        secrets: [("a secret".to_owned(), Secret::new("hunter2"))].into(),
    }
}

#[test]
fn every_example_runs_in_a_sandbox_without_a_variable() {
    for (name, text) in files("pipelines") {
        let document = parse(&text, &name).unwrap();
        let pipeline =
            document.resolve(&Fixed::default(), &sandbox(&document)).unwrap_or_else(|faults| panic!("{faults}"));
        assert!(
            pipeline.http.values().all(|http| matches!(http.proxy, Proxy::None) && http.headers.is_empty()),
            "{name}"
        );
        for target in &pipeline.targets {
            let port = match &target.kind {
                TargetKind::Jira(jira) => (jira.base_url.port(), 3),
                TargetKind::Confluence(confluence) => (confluence.base_url.port(), 4),
                TargetKind::Bitbucket(bitbucket) => (bitbucket.base_url.port(), 5),
                TargetKind::Folder(_) | TargetKind::FolderInBucket(_) => continue,
            };
            assert_eq!(port.0, Some(port.1), "{name}: {}", target.id);
        }
        for source in &pipeline.sources {
            let SourceKind::Google(google) = &source.provider.as_ref().unwrap().kind else { continue };
            let GoogleCredential::ServiceAccountFile(file) = &google.credential else { panic!("{name}") };
            assert_eq!(
                (google.customer.as_str(), &google.subject, file.to_str()),
                ("C01", &None, Some("sandbox/key.json"))
            );
            assert_eq!((google.endpoints.token.port(), google.endpoints.iam_credentials.port()), (Some(11), Some(14)));
        }
    }
}

#[test]
fn a_sandbox_takes_the_place_of_every_credential() {
    let pool = "audience: //iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/a/providers/b";
    let entra = |keys: &str| format!("entra: {{ tenant: \"${{T}}\", {keys} }}");
    let google = |keys: &str| format!("google: {{ subject: \"${{S}}\", credential: {{ {keys} }} }}");
    for element in [
        entra("client_id: \"${C}\", credential: { certificate: { file: \"${F}\", password: \"${P}\" } }"),
        entra("client_id: \"${C}\", credential: { federated: { from: github } }"),
        entra("client_id: \"${C}\", credential: { federated: { from: env, name: TOKEN } }"),
        entra("credential: { managed_identity: { client_id: \"${C}\" } }"),
        google("service_account_file: \"${F}\""),
        google("external_account_file: \"${F}\""),
        google(&format!("federated: {{ from: github, {pool}, service_account: \"${{A}}\" }}")),
    ] {
        let text = format!("version: 1\npipeline: x\nextract:\n  - {element}\nload:\n  - folder: {{ path: out }}\n");
        let document = parse(&text, "p.yaml").unwrap_or_else(|faults| panic!("{faults}"));
        let pipeline = document.resolve(&Fixed::default(), &sandbox(&document));
        assert!(pipeline.is_ok(), "{element}: {pipeline:?}");
        assert!(document.resolve(&Fixed::default(), &Overlay::default()).is_err(), "{element}");
    }
}

#[test]
fn a_sandbox_needs_no_variable_at_all() {
    let corporate = &files("pipelines")["corporate.yaml"];
    let document = parse(corporate, "pipelines/corporate.yaml").unwrap();
    let kinds: Vec<_> =
        document.sources().iter().chain(document.targets()).map(|e| (e.id.as_str(), e.kind.as_str())).collect();
    assert_eq!(kinds, [("entra", "entra"), ("jira", "jira")]);
    let pipeline = document.resolve(&Fixed::default(), &sandbox(&document)).unwrap();
    let SourceKind::Entra(entra) = &provider(&pipeline).kind else { panic!("an Entra was written") };
    assert_eq!((entra.tenant.as_str(), entra.endpoints.login.port()), ("contoso", Some(1)));
    let EntraCredential::App { client_id, proof: AppProof::ClientSecret(_) } = &entra.credential else {
        panic!("an app with a secret was put in")
    };
    assert_eq!(client_id, "app");
    assert_eq!(pipeline.sources[0].rate, "graph");
    let TargetKind::Jira(jira) = &pipeline.targets[0].kind else { panic!("a Jira was written") };
    assert_eq!(jira.base_url.port(), Some(3));
    assert!(matches!(pipeline.http["default"].proxy, Proxy::None));
    assert_eq!(pipeline.state.to_str(), Some("state/sandbox.db"));
    assert_eq!(pipeline.digest, crate::model::Digest::of(corporate.as_bytes()));
}

#[test]
fn a_sandbox_replaces_what_is_named_and_nothing_else() {
    let text = "version: 1\npipeline: x\nhttp:\n  default: { timeout: 5s, ca_file: \"${CA}\" }\nextract:\n  - folder: { id: entra, path: in }\n\
                load:\n  - jira: { base_url: \"${URL}\", credential: { token: \"${TOKEN}\" }, match: [email], quiet: \"${QUIET}\" }\n";
    let document = parse(text, "p.yaml").unwrap();
    let jira = parse(&files("pipelines")["corporate.yaml"], "p.yaml").unwrap();
    let faults = document.resolve(&Fixed::default(), &sandbox(&jira)).unwrap_err();
    let messages: Vec<_> = faults.iter().map(|fault| fault.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "nothing can stand in place of `entra`: another kind was given",
            "the environment variable `QUIET` is not set"
        ]
    );
}
