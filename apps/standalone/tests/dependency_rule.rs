//! Dependencies point inward: `apps → adapters → runtime → application → domain`. An adapter is one
//! technology and does not depend on other adapters. The embedded servers are for development only,
//! and `test-support` is for tests only.
//!
//! The test reads the dependencies in each `Cargo.toml` of the workspace, for all targets and
//! features.

use cargo_metadata::{DependencyKind, MetadataCommand};

/// The only dependencies of the domain: types for time, ids and errors.
const DOMAIN_MAY_USE: &[&str] = &["chrono", "thiserror", "uuid"];

/// The only dependencies of the application. It may combine futures, but has no async runtime.
const APPLICATION_MAY_USE: &[&str] = &["chrono", "domain", "futures-util", "thiserror", "uuid"];

/// Crates that the domain and the application must not use, not even in tests.
const TECHNOLOGY: &[&str] = &[
    "apache-avro",
    "askama",
    "axum",
    "clap",
    "lettre",
    "metrics",
    "rdkafka",
    "reqwest",
    "schema_registry_converter",
    "serde",
    "serde_json",
    "sqlx",
    "tokio",
    "tokio-util",
    "tower-http",
    "tracing",
    "utoipa",
];

/// The only crates that may use a technology, in production or in tests.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("apache-avro", &["adapter-avro", "schemas"]),
    ("lettre", &["adapter-mail"]),
    ("rdkafka", &["adapter-kafka", "benchmark", "embedded-kafka"]),
    ("ring", &["adapter-webhook"]),
    ("schema_registry_converter", &["adapter-kafka", "embedded-registry"]),
    (
        "sqlx",
        &[
            "adapter-notification",
            "adapter-ordering",
            "adapter-outbox",
            "adapter-pharmacy",
            "adapter-postgres",
            "benchmark",
            "embedded-postgres",
            "embedded-registry",
        ],
    ),
];

/// Exceptions: packages that may use others of the same layer. The tables of the contexts use
/// Postgres, and those that publish events use the outbox. Contexts do not depend on each other. The
/// embedded registry is an HTTP server that stores Avro schemas in Postgres. The programs that
/// consume events share a crate, and so do those that publish events.
const MAY_USE: &[(&str, &[&str])] = &[
    ("adapter-notification", &["adapter-postgres"]),
    ("adapter-ordering", &["adapter-outbox", "adapter-postgres"]),
    ("adapter-outbox", &["adapter-postgres"]),
    ("adapter-pharmacy", &["adapter-outbox", "adapter-postgres"]),
    ("embedded-registry", &["adapter-avro", "adapter-http", "adapter-postgres"]),
    ("notification", &["consumer"]),
    ("order-jobs", &["consumer", "relay"]),
    ("pharmacy-order", &["consumer", "relay"]),
];

/// Crates that test the programs from outside. They must not depend on other crates of the
/// workspace.
const BLACK_BOX_TESTS: &[&str] = &["end-to-end", "load"];

/// A package of the workspace and its dependencies.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

/// A dependency, as it is in a `Cargo.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Dependency {
    name: String,
    features: Vec<String>,
    for_tests: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Layer {
    Domain,
    Application,
    Runtime,
    Adapter,
    Embedded,
    TestSupport,
    App,
    Standalone,
}

impl Layer {
    /// The layer of a package. A package with an unknown name is an app.
    fn of(package: &str) -> Self {
        match package {
            "domain" => Self::Domain,
            "application" => Self::Application,
            "runtime" => Self::Runtime,
            "standalone" => Self::Standalone,
            "test-support" => Self::TestSupport,
            _ if package.starts_with("adapter-") => Self::Adapter,
            _ if package.starts_with("embedded-") => Self::Embedded,
            _ => Self::App,
        }
    }
}

/// One sentence for each violation of the rule.
fn violations(packages: &[Package]) -> Vec<String> {
    let member = |name: &str| packages.iter().any(|package| package.name == name);
    let mut found = Vec::new();
    for package in packages {
        for dependency in &package.dependencies {
            if member(&dependency.name) {
                found.extend(layer_violation(package, dependency));
            } else {
                found.extend(technology_violation(package, dependency));
            }
        }
    }
    found
}

fn layer_violation(package: &Package, dependency: &Dependency) -> Option<String> {
    let (who, whom) = (&package.name, &dependency.name);
    if BLACK_BOX_TESTS.contains(&who.as_str()) {
        return Some(format!("{who} depends on {whom}, but must test from outside"));
    }
    // Tests may use their own layer, the embedded servers and test-support.
    let (outer, inner) = (Layer::of(who), Layer::of(whom));
    if dependency.for_tests
        && (who == whom || outer >= Layer::Adapter && inner <= Layer::TestSupport)
    {
        return None;
    }
    if inner == Layer::TestSupport && !dependency.for_tests {
        return Some(format!("{who} depends on {whom}, which is only for tests"));
    }
    if inner == Layer::Embedded && outer != Layer::Standalone {
        return Some(format!("{who} depends on {whom}, which is for development"));
    }
    let listed = MAY_USE.iter().any(|(user, used)| user == who && used.contains(&whom.as_str()));
    if outer == Layer::Embedded && inner == Layer::Adapter && !listed {
        return Some(format!("{who} depends on {whom}, which is not in MAY_USE"));
    }
    if inner >= outer && !listed {
        return Some(format!("{who} depends on {whom}, which is not in an inner layer"));
    }
    None
}

fn technology_violation(package: &Package, dependency: &Dependency) -> Option<String> {
    let (who, what) = (&package.name, dependency.name.as_str());
    let layer = Layer::of(who);
    if let Some((_, users)) = ONLY_IN.iter().find(|(technology, _)| *technology == what)
        && !users.contains(&who.as_str())
    {
        return Some(format!("{who} depends on {what}, which only {} may use", users.join(", ")));
    }
    let may_use = match layer {
        Layer::Domain => DOMAIN_MAY_USE,
        Layer::Application => APPLICATION_MAY_USE,
        _ => return None,
    };
    if TECHNOLOGY.contains(&what) || !(dependency.for_tests || may_use.contains(&what)) {
        return Some(format!("{who} must not depend on {what}"));
    }
    if dependency.features.iter().any(|feature| feature.contains("serde")) {
        return Some(format!("{who} enables serde of {what}"));
    }
    None
}

/// The packages of this workspace, independent of the current directory.
fn workspace() -> Vec<Package> {
    let metadata = MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .expect("cargo metadata succeeds");
    metadata.packages.into_iter().map(package).collect()
}

fn package(package: cargo_metadata::Package) -> Package {
    let mut dependencies: Vec<Dependency> = package
        .dependencies
        .into_iter()
        .map(|dependency| Dependency {
            name: dependency.name,
            features: dependency.features,
            for_tests: dependency.kind == DependencyKind::Development,
        })
        .collect();
    // A feature can enable a feature of another package: "adapter-kafka/tls".
    for enabled in package.features.values().flatten() {
        if let Some((name, feature)) = enabled.split_once('/') {
            let name = name.trim_end_matches('?').to_owned();
            let features = vec![feature.to_owned()];
            dependencies.push(Dependency { name, features, for_tests: false });
        }
    }
    Package { name: package.name.to_string(), dependencies }
}

#[test]
fn dependencies_point_inward() {
    assert_eq!(violations(&workspace()), Vec::<String>::new());
}

#[test]
fn the_rule_checks_the_whole_workspace() {
    let packages = workspace();
    let depends_on = |who: &str, what: &str| {
        let package = packages.iter().find(|package| package.name == who);
        package.is_some_and(|package| package.dependencies.iter().any(|d| d.name == what))
    };
    assert!(depends_on("application", "domain"));
    assert!(depends_on("adapter-postgres", "application"));
    assert!(depends_on("adapter-postgres", "sqlx"));
    for app in ["notification", "order-api", "order-jobs", "pharmacy-order"] {
        assert!(depends_on(app, "adapter-postgres"), "{app}");
        assert!(depends_on("standalone", app), "{app}");
    }
}

/// Parses `name: dependency, dependency[feature], (dev-dependency)`, one package per line.
fn parse(graph: &str) -> Vec<Package> {
    let lines = graph.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let (name, list) = line.split_once(':').expect("a name");
            let list = list.split(',').map(str::trim).filter(|text| !text.is_empty());
            Package { name: name.to_owned(), dependencies: list.map(dependency).collect() }
        })
        .collect()
}

fn dependency(text: &str) -> Dependency {
    let for_tests = text.starts_with('(');
    let text = text.trim_matches(['(', ')']);
    let (name, feature) = text.split_once('[').unwrap_or((text, ""));
    let features = feature.trim_end_matches(']').split_whitespace().map(str::to_owned).collect();
    Dependency { name: name.to_owned(), features, for_tests }
}

const VALID: &str = "
    domain: chrono, thiserror, uuid, (proptest)
    application: domain, chrono, futures-util, uuid[v5], (application[testing]), (proptest)
    runtime: application, domain, clap, tokio
    adapter-avro: application, domain, apache-avro
    adapter-http: application, runtime, axum
    adapter-kafka: application, domain, runtime, rdkafka, (adapter-avro)
    adapter-mail: application, domain, runtime, askama, lettre, (embedded-smtp), (test-support)
    adapter-postgres: application, domain, runtime, sqlx, (embedded-postgres)
    adapter-outbox: application, adapter-postgres, sqlx
    adapter-ordering: application, adapter-outbox, adapter-postgres, sqlx, (adapter-avro)
    adapter-pharmacy: application, adapter-postgres, sqlx
    adapter-webhook: application, domain, reqwest, ring
    embedded-postgres: runtime, sqlx, (adapter-postgres)
    consumer: adapter-kafka, adapter-postgres, application
    pharmacy-order: adapter-pharmacy, consumer
    relay: adapter-kafka, adapter-outbox, adapter-postgres, application
    order-jobs: adapter-ordering, relay
    embedded-registry: runtime, sqlx, adapter-postgres, (adapter-kafka)
    embedded-smtp: runtime, domain, axum, tokio
    order-api: adapter-http, adapter-postgres, application, axum, tokio, (embedded-postgres), (test-support)
    test-support: adapter-avro, application, domain, runtime, tokio
    standalone: adapter-kafka, embedded-postgres, order-api, tokio, (cargo_metadata), (test-support)
";

#[test]
fn a_valid_workspace_has_no_violations() {
    assert_eq!(violations(&parse(VALID)), Vec::<String>::new());
}

#[test]
fn every_kind_of_violation_is_found() {
    let cases = [
        ("domain", "application", "not in an inner layer"),
        ("domain", "(adapter-http)", "not in an inner layer"),
        ("application", "runtime", "not in an inner layer"),
        ("application", "adapter-http", "not in an inner layer"),
        ("runtime", "adapter-postgres", "not in an inner layer"),
        ("adapter-http", "order-api", "not in an inner layer"),
        ("adapter-http", "adapter-postgres", "not in an inner layer"),
        ("adapter-kafka", "adapter-avro", "not in an inner layer"),
        ("adapter-postgres", "adapter-kafka", "not in an inner layer"),
        ("adapter-postgres", "adapter-outbox", "not in an inner layer"),
        ("adapter-outbox", "adapter-ordering", "not in an inner layer"),
        ("adapter-outbox", "adapter-kafka", "not in an inner layer"),
        ("adapter-pharmacy", "adapter-ordering", "not in an inner layer"),
        ("adapter-ordering", "adapter-pharmacy", "not in an inner layer"),
        ("embedded-postgres", "adapter-postgres", "not in MAY_USE"),
        ("embedded-registry", "adapter-kafka", "not in MAY_USE"),
        ("order-api", "standalone", "not in an inner layer"),
        ("order-api", "pharmacy-order", "not in an inner layer"),
        ("order-api", "order-api", "not in an inner layer"),
        ("order-api", "consumer", "not in an inner layer"),
        ("consumer", "pharmacy-order", "not in an inner layer"),
        ("consumer", "relay", "not in an inner layer"),
        ("order-api", "relay", "not in an inner layer"),
        ("relay", "consumer", "not in an inner layer"),
        ("relay", "order-jobs", "not in an inner layer"),
        ("domain", "tokio", "must not depend on"),
        ("domain", "(serde_json)", "must not depend on"),
        ("domain", "futures-util", "must not depend on"),
        ("domain", "uuid[serde]", "enables serde"),
        ("application", "axum", "must not depend on"),
        ("application", "(tokio)", "must not depend on"),
        ("application", "reqwest", "must not depend on"),
        ("application", "sqlx", "which only"),
        ("runtime", "sqlx", "which only"),
        ("adapter-http", "sqlx", "which only"),
        ("adapter-postgres", "rdkafka", "which only"),
        ("adapter-kafka", "apache-avro", "which only"),
        ("embedded-smtp", "lettre", "which only"),
        ("order-api", "sqlx", "which only"),
        ("order-api", "(rdkafka)", "which only"),
        ("order-api", "ring", "which only"),
        ("standalone", "apache-avro", "which only"),
        ("pharmacy-order", "schema_registry_converter", "which only"),
        ("order-api", "embedded-postgres", "for development"),
        ("adapter-postgres", "embedded-postgres", "for development"),
        ("adapter-mail", "embedded-smtp", "for development"),
        ("embedded-registry", "embedded-postgres", "for development"),
        ("order-api", "test-support", "only for tests"),
        ("adapter-http", "test-support", "only for tests"),
        ("standalone", "test-support", "only for tests"),
        ("application", "(test-support)", "not in an inner layer"),
        ("runtime", "(test-support)", "not in an inner layer"),
        ("test-support", "order-api", "not in an inner layer"),
        ("test-support", "embedded-postgres", "for development"),
        ("test-support", "sqlx", "which only"),
        ("end-to-end", "adapter-http", "from outside"),
        ("end-to-end", "(test-support)", "from outside"),
        ("load", "(domain)", "from outside"),
        ("end-to-end", "rdkafka", "which only"),
    ];
    for (who, whom, why) in cases {
        let graph = format!("{VALID}\n{who}: {whom}");
        let found = violations(&parse(&graph));
        assert_eq!(found.len(), 1, "{who}: {whom}: {found:?}");
        assert!(found[0].starts_with(who) && found[0].contains(why), "{found:?}");
    }
}
