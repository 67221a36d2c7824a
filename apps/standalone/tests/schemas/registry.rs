//! The commands about schemas with a registry.

use std::time::Duration;

use embedded_postgres::testing::fresh_database;
use embedded_registry as registry;
use serde_json::{Value, json};

use crate::folder::{Folder, Run, run};
use crate::parcel::Parcel;

const SUBJECT: &str = "order-created-topic-shipping.ParcelSent";

/// An embedded registry that listens on a socket.
pub(crate) struct Registry {
    url: String,
    client: reqwest::Client,
}

impl Registry {
    pub(crate) async fn start() -> Self {
        adapter_kafka::tls::prepare();
        let database = fresh_database().await.unwrap().args();
        let url = registry::testing::start(([127, 0, 0, 1], 0).into(), &database).await.unwrap();
        let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).no_proxy();
        Self { url, client: client.build().unwrap() }
    }

    /// Sends a request and returns the body of the answer.
    pub(crate) async fn send(&self, method: &str, path: &str, body: Value) -> Value {
        let method = method.parse().unwrap();
        let request = self.client.request(method, format!("{}{path}", self.url)).json(&body);
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
        answer.json().await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.send("GET", path, Value::Null).await
    }

    pub(crate) async fn register(&self, subject: &str, schema: &str) {
        let path = format!("/subjects/{subject}/versions");
        self.send("POST", &path, json!({ "schema": schema })).await;
    }

    async fn set_level(&self, subject: &str, level: &str) {
        let path = format!("/config/{subject}");
        self.send("PUT", path.trim_end_matches('/'), json!({ "compatibility": level })).await;
    }

    async fn level(&self, path: &str) -> Value {
        self.get(path).await["compatibilityLevel"].clone()
    }

    fn check(&self, folder: &Folder) -> Run {
        run(folder.command("check").args(["--registry", &self.url]))
    }

    fn register_all(&self, folder: &Folder) -> Run {
        run(folder.command("register").args(["--registry", &self.url]))
    }
}

/// A folder with a released `parcel-sent`.
fn with_parcel() -> Folder {
    let folder = Folder::new();
    folder.write("parcel-sent/v1.avsc", &Parcel::v1().text());
    folder.release();
    folder
}

fn with_colour() -> String {
    let colour = |p: &mut Parcel| {
        p.add(json!({ "name": "colour", "type": "string", "default": "" }));
    };
    Parcel::edited(colour).text()
}

fn assert_success(run: &Run) {
    assert_eq!((run.code, run.err.as_slice()), (Some(0), [].as_slice()), "{run:?}");
}

/// Checks that the command failed with only this error about the parcel.
fn assert_error(run: &Run, expected: &str) {
    let errors: Vec<&String> = run.err.iter().filter(|line| line.contains("arcel")).collect();
    assert_eq!(run.code, Some(1), "{run:?}");
    assert_eq!(errors, [&format!("error: {expected}")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn register_makes_the_check_pass_and_repeating_it_changes_nothing() {
    let registry = Registry::start().await;
    let folder = with_parcel();
    assert_error(
        &registry.check(&folder),
        "parcel-sent v1 is not registered under order-created-topic-shipping.ParcelSent; run \
         `schemas register`",
    );
    let first = registry.register_all(&folder);
    assert_success(&first);
    let id = registry.get(&format!("/subjects/{SUBJECT}/versions/1")).await["id"].clone();
    let line = format!("{SUBJECT} version 1 id {id}");
    assert!(first.out.contains(&line), "{line}: {first:?}");
    assert_success(&registry.check(&folder));

    let again = registry.register_all(&folder);
    assert_success(&again);
    assert_eq!(again.out, first.out);
    assert_eq!(registry.get(&format!("/subjects/{SUBJECT}/versions")).await, json!([1]));
}

#[tokio::test(flavor = "multi_thread")]
async fn all_released_versions_are_registered_oldest_first() {
    let registry = Registry::start().await;
    let folder = with_parcel();
    folder.write("parcel-sent/v2.avsc", &with_colour());
    folder.release();
    assert_success(&registry.register_all(&folder));
    for (version, schema) in [(1, Parcel::v1().text()), (2, with_colour())] {
        let found = registry.get(&format!("/subjects/{SUBJECT}/versions/{version}")).await;
        assert_eq!(found["schema"], json!(schema));
    }
    assert_success(&registry.check(&folder));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_weaker_compatibility_level_is_reported_and_corrected() {
    let registry = Registry::start().await;
    let folder = with_parcel();
    assert_success(&registry.register_all(&folder));
    registry.set_level("", "BACKWARD").await;
    registry.set_level(SUBJECT, "NONE").await;
    let level = "the compatibility level of order-created-topic-shipping.ParcelSent is NONE, not \
                 FULL_TRANSITIVE; run `schemas register`";
    assert_error(&registry.check(&folder), level);

    let mut subjects_only = folder.command("register");
    assert_success(&run(subjects_only.args(["--subjects-only", "--registry", &registry.url])));
    assert_success(&registry.check(&folder));
    assert_eq!(registry.level("/config").await, "BACKWARD");
    assert_eq!(registry.level(&format!("/config/{SUBJECT}")).await, "FULL_TRANSITIVE");

    assert_success(&registry.register_all(&folder));
    assert_eq!(registry.level("/config").await, "FULL_TRANSITIVE");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registered_version_that_is_not_in_the_folder_is_reported() {
    let registry = Registry::start().await;
    let folder = with_parcel();
    assert_success(&registry.register_all(&folder));
    registry.register(SUBJECT, &with_colour()).await;
    assert_error(
        &registry.check(&folder),
        "order-created-topic-shipping.ParcelSent has version 2, which is not in the folder; add \
         it to the folder, or find out who registered it",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_the_registry_refuses_is_reported_by_check_and_register() {
    let registry = Registry::start().await;
    let folder = with_parcel();
    let other = Parcel::edited(|p| p.retype("weight", json!("long"))).text();
    registry.register(SUBJECT, &other).await;
    let before = registry.check(&folder);
    let refusals = before.err.iter().filter(|line| line.contains("refuses parcel-sent v1")).count();
    assert!(before.code == Some(1) && refusals == 1, "{before:?}");
    let run = registry.register_all(&folder);
    let is_refusal = |line: &String| {
        line.starts_with("error: the registry refuses parcel-sent v1 under ")
            && line.contains("field weight: long was changed to int")
    };
    assert!(run.code == Some(1) && run.err.len() == 1 && is_refusal(&run.err[0]), "{run:?}");
    assert_eq!(registry.get(&format!("/subjects/{SUBJECT}/versions")).await, json!([1]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreleased_version_is_not_registered() {
    let registry = Registry::start().await;
    let folder = with_parcel();
    folder.write("parcel-sent/v2.avsc", &with_colour());
    let local = folder.check();
    let line = local.out.iter().find(|line| line.contains("parcel-sent/v2")).unwrap().trim();
    assert_error(
        &registry.register_all(&folder),
        &format!(
            "parcel-sent v2 is not released and was not registered; to release it, add this line \
             to released.txt: {line}"
        ),
    );
    assert_eq!(registry.get(&format!("/subjects/{SUBJECT}/versions")).await, json!([1]));
    assert_success(&registry.check(&folder));

    registry.register(SUBJECT, &with_colour()).await;
    assert_error(
        &registry.check(&folder),
        &format!(
            "parcel-sent v2 is registered under {SUBJECT}, so it is released; add this line to \
             released.txt: {line}"
        ),
    );
    folder.release();
    assert_success(&registry.check(&folder));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_folder_is_not_registered() {
    let registry = Registry::start().await;
    let folder = with_parcel();
    folder.write("parcel-sent/v1.avsc", &with_colour());
    for run in [registry.register_all(&folder), registry.check(&folder)] {
        assert!(run.code == Some(1) && run.err.len() == 1, "{run:?}");
        assert!(run.err[0].starts_with("error: parcel-sent/v1.avsc was edited"), "{run:?}");
    }
    assert_eq!(registry.get("/subjects").await, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_is_used_only_if_the_command_asks_for_it() {
    let registry = Registry::start().await;
    let folder = Folder::new();
    let unreachable = "http://127.0.0.1:9";
    assert_success(&run(folder.command("check").env("SCHEMA_REGISTRY_URL", unreachable)));

    // Without a URL it is the registry of the services. A URL on the command line takes precedence.
    for command in ["check", "register"] {
        let mut command_line = folder.command(command);
        if command == "check" {
            command_line.arg("--registry");
        }
        let failed = run(command_line.env("SCHEMA_REGISTRY_URL", unreachable));
        assert!(failed.code == Some(1) && failed.err.len() == 1, "{failed:?}");
        assert!(failed.err[0].contains("the schema registry on 127.0.0.1:9 cannot be reached"));
    }
    let mut named = folder.command("register");
    named.args(["--registry", &registry.url]).env("SCHEMA_REGISTRY_URL", unreachable);
    assert_success(&run(&mut named));
    let mut from_environment = folder.command("check");
    assert_success(&run(from_environment
        .arg("--registry")
        .env("SCHEMA_REGISTRY_URL", &registry.url)));

    for command in ["check", "register"] {
        let mut unnamed = folder.command(command);
        if command == "check" {
            unnamed.arg("--registry");
        }
        let unnamed = run(&mut unnamed);
        assert!(unnamed.code == Some(1) && unnamed.err[0].contains("SCHEMA_REGISTRY_URL"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn subjects_begin_with_the_name_of_the_topic() {
    let registry = Registry::start().await;
    let folder = with_parcel();
    let mut command = folder.command("register");
    assert_success(&run(command.args(["--topic", "new topic/2", "--registry", &registry.url])));
    let subjects = registry.get("/subjects").await;
    let subjects = subjects.as_array().unwrap();
    assert!(subjects.contains(&json!("new topic/2-shipping.ParcelSent")), "{subjects:?}");
    let (pharmacy, ordering): (Vec<&str>, Vec<&str>) = subjects
        .iter()
        .filter_map(Value::as_str)
        .partition(|subject| subject.contains("-pharmacy."));
    assert!(ordering.iter().all(|subject| subject.starts_with("new topic/2-")), "{ordering:?}");
    let topic = "pharmacy-order-topic-";
    assert!(pharmacy.iter().all(|subject| subject.starts_with(topic)), "{pharmacy:?}");
}
