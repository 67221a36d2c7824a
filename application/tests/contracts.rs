//! Runs the contract tests on the in-memory ports.

use std::fs;
use std::future::{Future, Ready, ready};
use std::path::Path;

use application::testing::{InMemoryNotifications, InMemoryOrdering, InMemoryPharmacy};
use futures_util::FutureExt;

fn run(test: impl Future<Output = ()>) {
    test.now_or_never().expect("in-memory ports never wait");
}

fn ordering() -> Ready<InMemoryOrdering> {
    ready(InMemoryOrdering::default())
}

fn pharmacy() -> Ready<InMemoryPharmacy> {
    ready(InMemoryPharmacy::default())
}

fn notifications() -> Ready<InMemoryNotifications> {
    ready(InMemoryNotifications::default())
}

mod orders {
    application::orders_contract!(super::run, super::ordering());
}

mod answers {
    application::answers_contract!(super::run, super::ordering());
}

mod follow_pharmacy {
    application::follow_pharmacy_contract!(super::run, super::ordering());
}

mod order_views {
    application::order_views_contract!(super::run, super::ordering());
}

mod customer_orders {
    application::customer_orders_contract!(super::run, super::ordering());
}

mod outbox {
    application::outbox_contract!(super::run, super::ordering());
}

mod pharmacy_orders {
    application::pharmacy_orders_contract!(super::run, super::pharmacy());
}

mod pharmacy_views {
    application::pharmacy_views_contract!(super::run, super::pharmacy());
}

mod pharmacy_inbox {
    application::pharmacy_inbox_contract!(super::run, super::pharmacy());
}

mod notifications {
    application::notifications_contract!(super::run, super::notifications());
}

mod notification_inbox {
    application::notification_inbox_contract!(super::run, super::notifications());
}

mod letters {
    application::letters_contract!(super::run, super::notifications());
}

mod webhooks {
    application::webhooks_contract!(super::run, super::notifications());
}

mod webhook_claims {
    application::webhook_claims_contract!(super::run, super::notifications());
}

mod webhook_failures {
    application::webhook_failures_contract!(super::run, super::notifications());
}

mod ledger_of_ordering {
    application::order_ledger_contract!(super::run, super::ordering());
}

mod ledger_of_the_pharmacy {
    application::order_ledger_contract!(super::run, super::pharmacy());
    application::consumer_ledger_contract!(super::run, super::pharmacy());
}

mod ledger_of_notification {
    application::order_ledger_contract!(super::run, super::notifications());
    application::consumer_ledger_contract!(super::run, super::notifications());
}

mod published_ledger {
    application::published_ledger_contract!(super::run, super::ordering());
}

mod replay {
    application::replay_contract!(super::run, super::ordering());
}

mod backlog {
    application::backlog_contract!(super::run, super::ordering());
}

mod dead_letters_of_ordering {
    application::dead_letters_contract!(super::run, super::ordering());
    application::outbox_dead_letters_contract!(super::run, super::ordering());
}

mod dead_letters_of_the_pharmacy {
    application::dead_letters_contract!(super::run, super::pharmacy());
    application::consumer_dead_letters_contract!(super::run, super::pharmacy());
}

mod dead_letters_of_notification {
    application::dead_letters_contract!(super::run, super::notifications());
    application::consumer_dead_letters_contract!(super::run, super::notifications());
}

/// A test function that is missing in the list of its contract macro would never run.
#[test]
fn every_test_is_in_the_list_of_its_contract() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/testing");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let contracts: Vec<_> =
        files.filter(|file| file.to_str().unwrap().ends_with("_contract.rs")).collect();
    assert!(!contracts.is_empty());
    for contract in contracts {
        let contract = fs::read_to_string(contract).unwrap();
        let tests: Vec<&str> = contract
            .lines()
            .filter_map(|line| line.strip_prefix("pub async fn ")?.split('<').next())
            .collect();
        assert!(!tests.is_empty());
        for test in tests {
            let listed = contract.lines().any(|line| line.trim() == format!("{test},"));
            assert!(listed, "{test} is not in the list of its contract");
        }
    }
}
