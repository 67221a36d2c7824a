use std::collections::BTreeSet;
use std::process::Output;

use chrono::{SecondsFormat, TimeDelta};
use end_to_end::cluster::Cluster;
use end_to_end::fleet::{Fleet, Size};
use end_to_end::instance::run_command;
use end_to_end::order_load::OrderLoad;
use end_to_end::read_models;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the cluster"]
async fn orders_missing_in_the_read_models_are_reported_and_repaired() {
    let cluster = Cluster::lock().await;
    let fleet = Fleet::start(Size::SINGLE).await;
    let orders = OrderLoad::place(fleet.api_urls(), 100, 60).await;
    read_models::wait_until_each_once(&fleet, &orders).await;
    // Only orders of this test: the outbox no longer has all events of other tests.
    let begin = orders.iter().map(|order| order.created_at).min().unwrap() - TimeDelta::seconds(1);
    let begin = begin.to_rfc3339_opts(SecondsFormat::Secs, true);
    let reconcile =
        ["reconcile", "--since", &begin, "--until", "2999-01-01T00:00:00Z", "--grace", "3"];

    let output = run_command("order-jobs", &reconcile).await;
    assert!(output.status.success(), "{output:?}");
    assert_eq!(reported(&output, ""), BTreeSet::new());

    let lost: Vec<&str> = orders[..9].iter().map(|order| order.id.as_str()).collect();
    cluster.run(&["psql", "-q", "-c", &delete("pharmacy.orders", &lost[..6])]);
    cluster.run(&["psql", "-q", "-c", &delete("notification.notifications", &lost[3..])]);
    let of = |what: &str, read_model: &str, orders: &[&str]| {
        orders.iter().map(|id| format!("{what} {read_model} {id}")).collect::<BTreeSet<_>>()
    };
    let missing =
        &of("missing", "pharmacy", &lost[..6]) | &of("missing", "notification", &lost[3..]);
    let output = run_command("order-jobs", &reconcile).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(reported(&output, ""), missing);

    let output = run_command("order-jobs", &[reconcile.as_slice(), &["--repair"]].concat()).await;
    assert!(output.status.success(), "{output:?}");
    // The repair of the pharmacy published the events of orders 3 to 5 for notification too.
    let repaired =
        &of("repaired", "pharmacy", &lost[..6]) | &of("repaired", "notification", &lost[6..]);
    assert_eq!(reported(&output, "repaired"), repaired);
    read_models::wait_until_each_once(&fleet, &orders).await;
    fleet.stop();
}

fn delete(table: &str, orders: &[&str]) -> String {
    format!("DELETE FROM {table} WHERE order_id IN ('{}')", orders.join("', '"))
}

/// The lines about orders that begin with this text: their first three columns.
fn reported(output: &Output, begin: &str) -> BTreeSet<String> {
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text.lines().filter(|line| line.contains('\t') && line.starts_with(begin));
    lines.map(|line| line.split('\t').take(3).collect::<Vec<_>>().join(" ")).collect()
}
