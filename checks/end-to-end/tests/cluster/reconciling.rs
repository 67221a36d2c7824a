use std::collections::BTreeSet;
use std::process::Output;

use chrono::{SecondsFormat, TimeDelta};
use end_to_end::cluster::Cluster;
use end_to_end::customers::Customers;
use end_to_end::fleet::{Fleet, Size};
use end_to_end::instance::carry_out;
use end_to_end::read_models;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the cluster"]
async fn what_the_read_models_lost_is_named_and_published_again() {
    let cluster = Cluster::alone().await;
    let fleet = Fleet::start(Size::SINGLE).await;
    let orders = Customers::place(fleet.counters(), 100, 60).await;
    read_models::hold_each_once(&fleet, &orders).await;
    // Other tests have left orders of which the outbox knows nothing.
    let begin = orders.iter().map(|order| order.created_at).min().unwrap() - TimeDelta::seconds(1);
    let begin = begin.to_rfc3339_opts(SecondsFormat::Secs, true);
    let reconcile =
        ["reconcile", "--since", &begin, "--until", "2999-01-01T00:00:00Z", "--grace", "3"];

    let output = carry_out("order-jobs", &reconcile).await;
    assert!(output.status.success(), "{output:?}");
    assert_eq!(told(&output, ""), BTreeSet::new());

    let lost: Vec<&str> = orders[..9].iter().map(|order| order.id.as_str()).collect();
    cluster.does(&["psql", "-q", "-c", &forget("pharmacy.orders", &lost[..6])]);
    cluster.does(&["psql", "-q", "-c", &forget("notification.notifications", &lost[3..])]);
    let of = |what: &str, read_model: &str, orders: &[&str]| {
        orders.iter().map(|id| format!("{what} {read_model} {id}")).collect::<BTreeSet<_>>()
    };
    let missing =
        &of("missing", "pharmacy", &lost[..6]) | &of("missing", "notification", &lost[3..]);
    let output = carry_out("order-jobs", &reconcile).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(told(&output, ""), missing);

    let output = carry_out("order-jobs", &[reconcile.as_slice(), &["--repair"]].concat()).await;
    assert!(output.status.success(), "{output:?}");
    // What both had lost came to notification while the pharmacy was repaired.
    let repaired =
        &of("repaired", "pharmacy", &lost[..6]) | &of("repaired", "notification", &lost[6..]);
    assert_eq!(told(&output, "repaired"), repaired);
    read_models::hold_each_once(&fleet, &orders).await;
    fleet.stop();
}

fn forget(table: &str, orders: &[&str]) -> String {
    format!("DELETE FROM {table} WHERE order_id IN ('{}')", orders.join("', '"))
}

/// The lines about orders that begin with this, without their explanation: what, where, which.
fn told(output: &Output, begin: &str) -> BTreeSet<String> {
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text.lines().filter(|line| line.contains('\t') && line.starts_with(begin));
    lines.map(|line| line.split('\t').take(3).collect::<Vec<_>>().join(" ")).collect()
}
