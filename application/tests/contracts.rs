//! The in-memory ports pass the contract suites.

use std::future::{Future, Ready, ready};

use application::testing::{InMemoryNotifications, InMemoryOrdering, InMemoryPharmacy};
use futures_util::FutureExt;

fn run(test: impl Future<Output = ()>) {
    test.now_or_never().expect("nothing in memory has to wait");
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

mod order_views {
    application::order_views_contract!(super::run, super::ordering());
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

mod ledger_of_ordering {
    application::order_ledger_contract!(super::run, super::ordering());
}

mod ledger_of_the_pharmacy {
    application::order_ledger_contract!(super::run, super::pharmacy());
    application::told_ledger_contract!(super::run, super::pharmacy());
}

mod ledger_of_notification {
    application::order_ledger_contract!(super::run, super::notifications());
    application::told_ledger_contract!(super::run, super::notifications());
}

mod published_ledger {
    application::published_ledger_contract!(super::run, super::ordering());
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

/// A rule that its suite's macro leaves out would never run, and nobody would notice.
#[test]
fn every_rule_is_in_the_list_of_its_suite() {
    let suites = [
        include_str!("../src/testing/consumer_dead_letters_contract.rs"),
        include_str!("../src/testing/dead_letters_contract.rs"),
        include_str!("../src/testing/notification_inbox_contract.rs"),
        include_str!("../src/testing/notifications_contract.rs"),
        include_str!("../src/testing/order_ledger_contract.rs"),
        include_str!("../src/testing/order_views_contract.rs"),
        include_str!("../src/testing/orders_contract.rs"),
        include_str!("../src/testing/outbox_contract.rs"),
        include_str!("../src/testing/outbox_dead_letters_contract.rs"),
        include_str!("../src/testing/pharmacy_inbox_contract.rs"),
        include_str!("../src/testing/pharmacy_orders_contract.rs"),
        include_str!("../src/testing/pharmacy_views_contract.rs"),
        include_str!("../src/testing/published_ledger_contract.rs"),
    ];
    for suite in suites {
        let rules: Vec<&str> = suite
            .lines()
            .filter_map(|line| line.strip_prefix("pub async fn ")?.split('<').next())
            .collect();
        assert!(!rules.is_empty());
        for rule in rules {
            let listed = suite.lines().any(|line| line.trim() == format!("{rule},"));
            assert!(listed, "{rule} is not in the list of its suite");
        }
    }
}
