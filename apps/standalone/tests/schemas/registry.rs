//! A folder of schemas and a registry, brought together by the commands.

use std::time::Duration;

use adapter_http as http;
use adapter_postgres::Database;
use embedded_postgres::testing::fresh_database;
use embedded_registry as registry;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::folder::{Folder, Run, run};
use crate::parcel::Parcel;

const SUBJECT: &str = "order-created-topic-shipping.ParcelSent";

/// An embedded registry on a socket, as anybody's would be.
pub(crate) struct Registry {
    url: String,
    client: reqwest::Client,
}

impl Registry {
    pub(crate) async fn start() -> Self {
        adapter_kafka::tls::prepare();
        let database = Database::new(&fresh_database().await.unwrap().args(), "registry").unwrap();
        let router = registry::router(&database).await.unwrap();
        let listener = http::bind(([127, 0, 0, 1], 0).into(), "ORDERS_PORT").await.unwrap();
        let url = format!("http://{}", listener.addr());
        tokio::spawn(http::serve(listener, router, CancellationToken::new()));
        let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).no_proxy();
        Self { url, client: client.build().unwrap() }
    }

    /// What it answers.
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

    fn put(&self, folder: &Folder) -> Run {
        run(folder.command("register").args(["--registry", &self.url]))
    }
}

/// The folder with a released `parcel-sent`.
fn with_parcel() -> Folder {
    let folder = Folder::new();
    folder.write("parcel-sent/v1.avsc", &Parcel::v1().text());
    folder.release();
    folder
}

fn coloured() -> String {
    let colour = |p: &mut Parcel| {
        p.add(json!({ "name": "colour", "type": "string", "default": "" }));
    };
    Parcel::edited(colour).text()
}

fn assert_fine(run: &Run) {
    assert_eq!((run.code, run.err.as_slice()), (Some(0), [].as_slice()), "{run:?}");
}

/// The command failed and said just this of the parcel.
fn assert_complains(run: &Run, expected: &str) {
    let said: Vec<&String> = run.err.iter().filter(|line| line.contains("arcel")).collect();
    assert_eq!(run.code, Some(1), "{run:?}");
    assert_eq!(said, [&format!("error: {expected}")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_was_registered_with_passes_and_again_changes_nothing() {
    let registry = Registry::start().await;
    let folder = with_parcel();
    assert_complains(
        &registry.check(&folder),
        "parcel-sent v1 is not registered under order-created-topic-shipping.ParcelSent; run \
         `schemas register`",
    );
    let first = registry.put(&folder);
    assert_fine(&first);
    let id = registry.get(&format!("/subjects/{SUBJECT}/versions/1")).await["id"].clone();
    let line = format!("{SUBJECT} version 1 id {id}");
    assert!(first.out.contains(&line), "{line}: {first:?}");
    assert_fine(&registry.check(&folder));

    let again = registry.put(&folder);
    assert_fine(&again);
    assert_eq!(again.out, first.out);
    assert_eq!(registry.get(&format!("/subjects/{SUBJECT}/versions")).await, json!([1]));
}

#[tokio::test(flavor = "multi_thread")]
async fn all_released_versions_are_registered_the_oldest_first() {
    let registry = Registry::start().await;
    let folder = with_parcel();
    folder.write("parcel-sent/v2.avsc", &coloured());
    folder.release();
    assert_fine(&registry.put(&folder));
    for (version, schema) in [(1, Parcel::v1().text()), (2, coloured())] {
        let found = registry.get(&format!("/subjects/{SUBJECT}/versions/{version}")).await;
        assert_eq!(found["schema"], json!(schema));
    }
    assert_fine(&registry.check(&folder));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_asks_for_less_is_told_and_set_right() {
    let registry = Registry::start().await;
    let folder = with_parcel();
    assert_fine(&registry.put(&folder));
    registry.set_level("", "BACKWARD").await;
    registry.set_level(SUBJECT, "NONE").await;
    let level = "the level of order-created-topic-shipping.ParcelSent is NONE, not \
                 FULL_TRANSITIVE; run `schemas register`";
    assert_complains(&registry.check(&folder), level);

    let mut others = folder.command("register");
    assert_fine(&run(others.args(["--subjects-only", "--registry", &registry.url])));
    assert_fine(&registry.check(&folder));
    assert_eq!(registry.level("/config").await, "BACKWARD");
    assert_eq!(registry.level(&format!("/config/{SUBJECT}")).await, "FULL_TRANSITIVE");

    assert_fine(&registry.put(&folder));
    assert_eq!(registry.level("/config").await, "FULL_TRANSITIVE");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_the_folder_does_not_know_is_told() {
    let registry = Registry::start().await;
    let folder = with_parcel();
    assert_fine(&registry.put(&folder));
    registry.register(SUBJECT, &coloured()).await;
    assert_complains(
        &registry.check(&folder),
        "order-created-topic-shipping.ParcelSent holds version 2, which the folder does not; bring \
         the folder up to date, or ask who registered it",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_registry_would_refuse_is_told_before_and_when_it_does() {
    let registry = Registry::start().await;
    let folder = with_parcel();
    let other = Parcel::edited(|p| p.retype("weight", json!("long"))).text();
    registry.register(SUBJECT, &other).await;
    let before = registry.check(&folder);
    let told = before.err.iter().filter(|line| line.contains("refuses parcel-sent v1")).count();
    assert!(before.code == Some(1) && told == 1, "{before:?}");
    let run = registry.put(&folder);
    let told = |line: &String| {
        line.starts_with("error: the registry refuses parcel-sent v1 under ")
            && line.contains("field weight: long was changed to int")
    };
    assert!(run.code == Some(1) && run.err.len() == 1 && told(&run.err[0]), "{run:?}");
    assert_eq!(registry.get(&format!("/subjects/{SUBJECT}/versions")).await, json!([1]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_released_is_not_registered() {
    let registry = Registry::start().await;
    let folder = with_parcel();
    folder.write("parcel-sent/v2.avsc", &coloured());
    let local = folder.check();
    let line = local.out.iter().find(|line| line.contains("parcel-sent/v2")).unwrap().trim();
    assert_complains(
        &registry.put(&folder),
        &format!(
            "parcel-sent v2 is not released and was not registered; to release it, add this line \
             to released.txt: {line}"
        ),
    );
    assert_eq!(registry.get(&format!("/subjects/{SUBJECT}/versions")).await, json!([1]));
    assert_fine(&registry.check(&folder));

    registry.register(SUBJECT, &coloured()).await;
    assert_complains(
        &registry.check(&folder),
        &format!(
            "parcel-sent v2 is registered under {SUBJECT} and so released; add this line to \
             released.txt: {line}"
        ),
    );
    folder.release();
    assert_fine(&registry.check(&folder));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_fails_by_itself_is_not_registered() {
    let registry = Registry::start().await;
    let folder = with_parcel();
    folder.write("parcel-sent/v1.avsc", &coloured());
    for run in [registry.put(&folder), registry.check(&folder)] {
        assert!(run.code == Some(1) && run.err.len() == 1, "{run:?}");
        assert!(run.err[0].starts_with("error: parcel-sent/v1.avsc was edited"), "{run:?}");
    }
    assert_eq!(registry.get("/subjects").await, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_is_asked_only_where_the_command_says_so() {
    let registry = Registry::start().await;
    let folder = Folder::new();
    let nobody = "http://127.0.0.1:9";
    assert_fine(&run(folder.command("check").env("SCHEMA_REGISTRY_URL", nobody)));

    // Without a URL it is the one the services use, and one on the command line goes before it.
    for command in ["check", "register"] {
        let mut asks = folder.command(command);
        if command == "check" {
            asks.arg("--registry");
        }
        let lost = run(asks.env("SCHEMA_REGISTRY_URL", nobody));
        assert!(lost.code == Some(1) && lost.err.len() == 1, "{lost:?}");
        assert!(lost.err[0].contains("the schema registry on 127.0.0.1:9 cannot be reached"));
    }
    let mut named = folder.command("register");
    named.args(["--registry", &registry.url]).env("SCHEMA_REGISTRY_URL", nobody);
    assert_fine(&run(&mut named));
    let mut lent = folder.command("check");
    assert_fine(&run(lent.arg("--registry").env("SCHEMA_REGISTRY_URL", &registry.url)));

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
    assert_fine(&run(command.args(["--topic", "new topic/2", "--registry", &registry.url])));
    let subjects = registry.get("/subjects").await;
    let subjects = subjects.as_array().unwrap();
    assert!(subjects.contains(&json!("new topic/2-shipping.ParcelSent")), "{subjects:?}");
    assert!(subjects.iter().all(|subject| subject.as_str().unwrap().starts_with("new topic/2-")));
}
