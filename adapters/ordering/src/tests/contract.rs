use std::future::Future;

use super::Fixture;

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Runtime::new().unwrap().block_on(test);
}

mod orders {
    application::orders_contract!(super::run, super::Fixture::new());
}

mod answers {
    application::answers_contract!(super::run, super::Fixture::new());
}

mod follow_pharmacy {
    application::follow_pharmacy_contract!(super::run, super::Fixture::new());
}

mod views {
    application::order_views_contract!(super::run, super::Fixture::new());
}

mod customers {
    application::customer_orders_contract!(super::run, super::Fixture::new());
}

mod outbox {
    application::outbox_contract!(super::run, super::Fixture::new());
}

mod ledger {
    application::order_ledger_contract!(super::run, super::Fixture::new());
}

mod published_ledger {
    application::published_ledger_contract!(super::run, super::Fixture::new());
}

mod dead_letters {
    application::dead_letters_contract!(super::run, super::Fixture::new());
    application::outbox_dead_letters_contract!(super::run, super::Fixture::new());
}

mod replay {
    application::replay_contract!(super::run, super::Fixture::new());
}

mod backlog {
    application::backlog_contract!(super::run, super::Fixture::new());
}
