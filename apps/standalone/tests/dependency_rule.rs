//! Dependencies point inward: `apps → adapters → runtime → application → domain`. An adapter is one
//! technology and knows no other adapter, and the embedded servers are for development only.
//!
//! The test checks what each `Cargo.toml` of the workspace depends on, for every target and every
//! feature, whether it is built today or not.

use cargo_metadata::{DependencyKind, MetadataCommand};

/// What the domain may be made of: a language for time, identity and errors.
const DOMAIN_MAY_USE: &[&str] = &["chrono", "thiserror", "uuid"];

/// What the application may be made of besides: the combinators of futures, not a runtime for them.
const APPLICATION_MAY_USE: &[&str] = &["chrono", "domain", "futures-util", "thiserror", "uuid"];

/// What even a test of the domain or the application has no business with.
const TECHNOLOGY: &[&str] = &[
    "apache-avro",
    "axum",
    "clap",
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

/// Which crates may use a technology, in production or in tests.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("apache-avro", &["adapter-avro", "schemas"]),
    ("rdkafka", &["adapter-kafka", "embedded-kafka"]),
    ("schema_registry_converter", &["adapter-kafka", "embedded-registry"]),
    (
        "sqlx",
        &[
            "adapter-notification",
            "adapter-ordering",
            "adapter-outbox",
            "adapter-pharmacy",
            "adapter-postgres",
            "embedded-postgres",
            "embedded-registry",
        ],
    ),
];

/// Which adapters may use which others: the stores of the contexts stand on Postgres, and those that
/// publish on the outbox. Contexts do not know each other. Embedded servers may use adapters: a registry is an HTTP
/// server that keeps Avro schemas in Postgres.
const MAY_USE: &[(&str, &[&str])] = &[
    ("adapter-notification", &["adapter-postgres"]),
    ("adapter-ordering", &["adapter-outbox", "adapter-postgres"]),
    ("adapter-outbox", &["adapter-postgres"]),
    ("adapter-pharmacy", &["adapter-postgres"]),
    ("embedded-registry", &["adapter-avro", "adapter-http", "adapter-postgres"]),
];

/// What tests the product as its users meet it.
const OUTSIDERS: &[&str] = &["end-to-end", "load"];

/// A package of the workspace and what it asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Package {
    name: String,
    asks_for: Vec<Wish>,
}

/// One dependency, as a `Cargo.toml` asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wish {
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
    App,
    Standalone,
}

impl Layer {
    /// Whatever is not one of the inner layers is an app, also when it is new.
    fn of(package: &str) -> Self {
        match package {
            "domain" => Self::Domain,
            "application" => Self::Application,
            "runtime" => Self::Runtime,
            "standalone" => Self::Standalone,
            _ if package.starts_with("adapter-") => Self::Adapter,
            _ if package.starts_with("embedded-") => Self::Embedded,
            _ => Self::App,
        }
    }
}

/// The sentences that say where these packages break the rule.
fn violations(packages: &[Package]) -> Vec<String> {
    let member = |name: &str| packages.iter().any(|package| package.name == name);
    let mut found = Vec::new();
    for package in packages {
        for wish in &package.asks_for {
            if member(&wish.name) {
                found.extend(against_the_layers(package, wish));
            } else {
                found.extend(against_purity(package, wish));
            }
        }
    }
    found
}

fn against_the_layers(package: &Package, wish: &Wish) -> Option<String> {
    let (who, whom) = (&package.name, &wish.name);
    if OUTSIDERS.contains(&who.as_str()) {
        return Some(format!("{who} knows {whom}, though it is to look on from outside"));
    }
    // Tests may use what lies beside them, and the embedded servers.
    let (outer, inner) = (Layer::of(who), Layer::of(whom));
    if wish.for_tests && (who == whom || outer >= Layer::Adapter && inner <= Layer::Embedded) {
        return None;
    }
    if inner == Layer::Embedded && outer != Layer::Standalone {
        return Some(format!("{who} carries {whom}, which is for development"));
    }
    let listed = MAY_USE.iter().any(|(user, used)| user == who && used.contains(&whom.as_str()));
    if outer == Layer::Embedded && inner == Layer::Adapter && !listed {
        return Some(format!("{who} depends on {whom}, which is not on its list"));
    }
    if inner >= outer && !listed {
        return Some(format!("{who} depends on {whom}, which lies no further in"));
    }
    None
}

fn against_purity(package: &Package, wish: &Wish) -> Option<String> {
    let (who, what) = (&package.name, wish.name.as_str());
    let layer = Layer::of(who);
    if let Some((_, users)) = ONLY_IN.iter().find(|(technology, _)| *technology == what)
        && !users.contains(&who.as_str())
    {
        return Some(format!("{who} knows {what}, which only {} may", users.join(", ")));
    }
    let may_use = match layer {
        Layer::Domain => DOMAIN_MAY_USE,
        Layer::Application => APPLICATION_MAY_USE,
        _ => return None,
    };
    if TECHNOLOGY.contains(&what) || !(wish.for_tests || may_use.contains(&what)) {
        return Some(format!("{who} knows {what}, which is none of its business"));
    }
    if wish.features.iter().any(|feature| feature.contains("serde")) {
        return Some(format!("{who} makes {what} bring serde"));
    }
    None
}

/// The packages of this workspace, wherever the test is started from.
fn workspace() -> Vec<Package> {
    let metadata = MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .expect("cargo knows the workspace");
    metadata.packages.into_iter().map(package).collect()
}

fn package(package: cargo_metadata::Package) -> Package {
    let mut asks_for: Vec<Wish> = package
        .dependencies
        .into_iter()
        .map(|dependency| Wish {
            name: dependency.name,
            features: dependency.features,
            for_tests: dependency.kind == DependencyKind::Development,
        })
        .collect();
    // A feature of its own can ask for a feature of another package: "adapter-kafka/tls".
    for enabled in package.features.values().flatten() {
        if let Some((name, feature)) = enabled.split_once('/') {
            let name = name.trim_end_matches('?').to_owned();
            asks_for.push(Wish { name, features: vec![feature.to_owned()], for_tests: false });
        }
    }
    Package { name: package.name.to_string(), asks_for }
}

#[test]
fn dependencies_point_inward() {
    assert_eq!(violations(&workspace()), Vec::<String>::new());
}

#[test]
fn the_rule_sees_the_whole_workspace() {
    let packages = workspace();
    let asks = |who: &str, what: &str| {
        let package = packages.iter().find(|package| package.name == who);
        package.is_some_and(|package| package.asks_for.iter().any(|wish| wish.name == what))
    };
    assert!(asks("application", "domain"));
    assert!(asks("adapter-postgres", "application"));
    assert!(asks("adapter-postgres", "sqlx"));
    for app in ["notification", "order-api", "order-jobs", "pharmacy-order"] {
        assert!(asks(app, "adapter-postgres"), "{app}");
        assert!(asks("standalone", app), "{app}");
    }
}

/// `name: dependency, dependency[feature], (dev-dependency)`, one package a line.
fn told(graph: &str) -> Vec<Package> {
    let lines = graph.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let (name, wishes) = line.split_once(':').expect("a name");
            let wishes = wishes.split(',').map(str::trim).filter(|wish| !wish.is_empty());
            Package { name: name.to_owned(), asks_for: wishes.map(wish).collect() }
        })
        .collect()
}

fn wish(text: &str) -> Wish {
    let for_tests = text.starts_with('(');
    let text = text.trim_matches(['(', ')']);
    let (name, feature) = text.split_once('[').unwrap_or((text, ""));
    let features = feature.trim_end_matches(']').split_whitespace().map(str::to_owned).collect();
    Wish { name: name.to_owned(), features, for_tests }
}

const LAWFUL: &str = "
    domain: chrono, thiserror, uuid, (proptest)
    application: domain, chrono, futures-util, uuid[v5], (application[testing]), (proptest)
    runtime: application, domain, clap, tokio
    adapter-avro: application, domain, apache-avro
    adapter-http: application, runtime, axum
    adapter-kafka: application, domain, runtime, rdkafka, (adapter-avro)
    adapter-postgres: application, domain, runtime, sqlx, (embedded-postgres)
    adapter-outbox: application, adapter-postgres, sqlx
    adapter-ordering: application, adapter-outbox, adapter-postgres, sqlx, (adapter-avro)
    adapter-pharmacy: application, adapter-postgres, sqlx
    embedded-postgres: runtime, sqlx, (adapter-postgres)
    embedded-registry: runtime, sqlx, adapter-postgres, (adapter-kafka)
    order-api: adapter-http, adapter-postgres, application, axum, tokio, (embedded-postgres)
    standalone: adapter-kafka, embedded-postgres, order-api, tokio, (cargo_metadata)
";

#[test]
fn a_lawful_workspace_breaks_no_rule() {
    assert_eq!(violations(&told(LAWFUL)), Vec::<String>::new());
}

#[test]
fn every_way_to_break_the_rule_is_seen() {
    let offences = [
        ("domain", "application", "lies no further in"),
        ("domain", "(adapter-http)", "lies no further in"),
        ("application", "runtime", "lies no further in"),
        ("application", "adapter-http", "lies no further in"),
        ("runtime", "adapter-postgres", "lies no further in"),
        ("adapter-http", "order-api", "lies no further in"),
        ("adapter-http", "adapter-postgres", "lies no further in"),
        ("adapter-kafka", "adapter-avro", "lies no further in"),
        ("adapter-postgres", "adapter-kafka", "lies no further in"),
        ("adapter-postgres", "adapter-outbox", "lies no further in"),
        ("adapter-outbox", "adapter-ordering", "lies no further in"),
        ("adapter-outbox", "adapter-kafka", "lies no further in"),
        ("adapter-pharmacy", "adapter-ordering", "lies no further in"),
        ("adapter-ordering", "adapter-pharmacy", "lies no further in"),
        ("embedded-postgres", "adapter-postgres", "not on its list"),
        ("embedded-registry", "adapter-kafka", "not on its list"),
        ("order-api", "standalone", "lies no further in"),
        ("order-api", "pharmacy-order", "lies no further in"),
        ("order-api", "order-api", "lies no further in"),
        ("domain", "tokio", "none of its business"),
        ("domain", "(serde_json)", "none of its business"),
        ("domain", "futures-util", "none of its business"),
        ("domain", "uuid[serde]", "bring serde"),
        ("application", "axum", "none of its business"),
        ("application", "(tokio)", "none of its business"),
        ("application", "reqwest", "none of its business"),
        ("application", "sqlx", "which only"),
        ("runtime", "sqlx", "which only"),
        ("adapter-http", "sqlx", "which only"),
        ("adapter-postgres", "rdkafka", "which only"),
        ("adapter-kafka", "apache-avro", "which only"),
        ("order-api", "sqlx", "which only"),
        ("order-api", "(rdkafka)", "which only"),
        ("standalone", "apache-avro", "which only"),
        ("pharmacy-order", "schema_registry_converter", "which only"),
        ("order-api", "embedded-postgres", "for development"),
        ("adapter-postgres", "embedded-postgres", "for development"),
        ("embedded-registry", "embedded-postgres", "for development"),
        ("end-to-end", "adapter-http", "from outside"),
        ("load", "(domain)", "from outside"),
        ("end-to-end", "rdkafka", "which only"),
    ];
    for (who, whom, why) in offences {
        let graph = format!("{LAWFUL}\npharmacy-order: adapter-http\n{who}: {whom}");
        let found = violations(&told(&graph));
        assert_eq!(found.len(), 1, "{who}: {whom}: {found:?}");
        assert!(found[0].starts_with(who) && found[0].contains(why), "{found:?}");
    }
}
