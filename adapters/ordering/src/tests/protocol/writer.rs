use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use adapter_outbox::NewEvent;
use adapter_postgres::Database;
use domain::OrderId;
use runtime::clock;
use sqlx::PgConnection;
use sqlx::types::Uuid;
use tokio::time::{self, Instant};

use super::super::place;
use super::model::{Dice, Model};
use crate::save::{Save, Write};

/// Places orders and changes them, in transactions that may be slow and may roll back.
pub(super) async fn write_until(
    events: usize,
    end: Instant,
    database: Database,
    model: Arc<Model>,
    mut dice: Dice,
) {
    while model.events() < events && Instant::now() < end {
        let mut transaction = database.pool().begin().await.unwrap();
        let known = if dice.percent(70) { model.any_order(&mut dice) } else { None };
        let save = match known {
            Some(order) => change(&mut transaction, order, &mut dice).await,
            None => place(clock::new_order_id()),
        };
        let jumps = dice.percent(8);
        if jumps {
            jump(&mut transaction, &save).await;
        }
        if save.run(&mut transaction).await.unwrap() != Write::Written {
            model.conflicts.fetch_add(1, Ordering::Relaxed);
            transaction.rollback().await.unwrap();
            continue;
        }
        if jumps {
            jump(&mut transaction, &save).await;
        }
        // So the positions of some lie in the middle of a wide gap, and their rows come late.
        let pause = if dice.percent(if jumps { 50 } else { 5 }) {
            model.slow.fetch_add(1, Ordering::Relaxed);
            model.jumps.fetch_add(usize::from(jumps), Ordering::Relaxed);
            dice.below(500)
        } else {
            dice.below(4)
        };
        // The pause is the fault to be tried: a transaction that holds its position open.
        time::sleep(Duration::from_millis(pause as u64)).await;
        if dice.percent(10) {
            model.rolled_back.fetch_add(1, Ordering::Relaxed);
            transaction.rollback().await.unwrap();
        } else {
            transaction.commit().await.unwrap();
            model.commit(save.order.id, &save.events.events);
        }
    }
}

/// Takes positions that no row will have, too many to be noted one by one.
async fn jump(connection: &mut PgConnection, save: &Save) {
    sqlx::query("SELECT nextval($1::text::regclass) FROM generate_series(1, 150)")
        .bind(save.events.lane().sequence())
        .execute(connection)
        .await
        .unwrap();
}

/// One or two further events of an order: more than an order of today would record, so that order
/// is put to a harder test.
async fn change(connection: &mut PgConnection, order: Uuid, dice: &mut Dice) -> Save {
    let version: i64 = sqlx::query_scalar("SELECT version FROM ordering.orders WHERE id = $1")
        .bind(order)
        .fetch_one(connection)
        .await
        .unwrap();
    let mut save = place(OrderId::new(order));
    let events = if dice.percent(20) { 2 } else { 1 };
    save.stored_version = Some(version);
    save.order.version = version + events;
    let template = save.events.events[0].clone();
    // The later one first: the statement itself must put them in order.
    let event = |aggregate_version| {
        let id = clock::event_stamp().event_id.get();
        NewEvent { id, aggregate_version, ..template.clone() }
    };
    save.events.events = (version + 1..=version + events).rev().map(event).collect();
    save
}
