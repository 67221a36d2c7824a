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
