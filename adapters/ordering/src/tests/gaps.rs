//! Positions without a row: in flight, or rolled back.

use std::time::Duration;

use adapter_outbox::{PgBacklog, PgReplay};
use application::relay::{Claim, MeasureBacklog, Outbox, Replay, Verdict};
use sqlx::{Postgres, Transaction};

use super::{World, another_order_of, eventually, two_orders_of_one_lane};
use crate::save::{Save, Write};
use crate::{Housekeeping, Keep};

#[tokio::test]
async fn an_event_that_commits_late_behind_a_gap_is_published() {
    let world = World::new().await;
    let (first, second) = two_orders_of_one_lane();
    let slow = write(&world, &first).await;
    world.save(&second).await;

    assert_eq!(world.relay_one().await, second.event_ids(), "the gap is stepped over");
    assert_eq!(world.stragglers().await, ["late"]);
    assert!(world.outbox.claim(10).await.unwrap().is_none(), "its writer still runs");
    slow.commit().await.unwrap();
    assert_eq!(world.relay_one().await, first.event_ids());
    assert!(world.stragglers().await.is_empty());
}

#[tokio::test]
async fn a_young_gap_is_waited_for_rather_than_stepped_over() {
    let world = World::new().await;
    let (first, second) = two_orders_of_one_lane();
    let slow = write(&world, &first).await;
    world.save(&second).await;
    // As if the row behind the gap had been recorded at this moment.
    sqlx::query("UPDATE ordering.outbox SET recorded_at = clock_timestamp() + interval '0.5 s'")
        .execute(world.database.pool())
        .await
        .unwrap();
    assert!(world.outbox.claim(10).await.unwrap().is_none());
    assert!(world.stragglers().await.is_empty());
    slow.commit().await.unwrap();
    let both = [first.events.events[0].id, second.events.events[0].id];
    assert_eq!(world.relay_one().await, both);
}

#[tokio::test]
async fn a_rolled_back_gap_is_dropped_only_after_all_older_transactions_have_ended() {
    let world = World::new().await;
    let (first, second) = two_orders_of_one_lane();
    let older = running_transaction(&world).await;
    let rolled_back = write(&world, &first).await;
    world.save(&second).await;
    world.relay_one().await;
    rolled_back.rollback().await.unwrap();

    for _ in 0..5 {
        relay_another(&world, &first).await;
        assert_eq!(world.stragglers().await, ["late"], "an older transaction might be its writer");
    }
    let younger = running_transaction(&world).await;
    older.commit().await.unwrap();
    eventually("the gap is dropped", async || {
        assert!(world.outbox.claim(10).await.unwrap().is_none());
        world.stragglers().await.is_empty()
    })
    .await;
    younger.rollback().await.unwrap();
}

#[tokio::test]
async fn a_gap_is_not_given_up_while_its_own_writer_runs_however_many_others_come_and_go() {
    let world = World::new().await;
    let (first, second) = two_orders_of_one_lane();
    // The writer has an id, but takes its position only after others have begun and ended.
    let mut slow = running_transaction(&world).await;
    running_transaction(&world).await.commit().await.unwrap();
    assert_eq!(first.run(&mut slow).await.unwrap(), Write::Written);
    world.save(&second).await;
    world.relay_one().await;
    for _ in 0..5 {
        running_transaction(&world).await.commit().await.unwrap();
        relay_another(&world, &first).await;
        assert_eq!(world.stragglers().await, ["late"]);
    }
    slow.commit().await.unwrap();
    assert_eq!(world.relay_one().await, first.event_ids());
    assert!(world.stragglers().await.is_empty());
}

#[tokio::test]
async fn a_gap_wider_than_a_batch_is_stepped_over() {
    let world = World::new().await;
    let (first, second) = two_orders_of_one_lane();
    world.save(&first).await;
    sqlx::query("SELECT nextval($1::text::regclass) FROM generate_series(1, 25)")
        .bind(first.events.lane().sequence())
        .execute(world.database.pool())
        .await
        .unwrap();
    world.save(&second).await;
    let mut published = Vec::new();
    eventually("both are published", async || {
        if let Some(claim) = world.outbox.claim(10).await.unwrap() {
            published.extend(claim.records().iter().map(|record| record.event_id.get()));
            super::publish(claim).await;
        }
        published.len() == 2
    })
    .await;
    assert_eq!(published, [first.events.events[0].id, second.events.events[0].id]);
    eventually("the gap is dropped", async || {
        assert!(world.outbox.claim(10).await.unwrap().is_none());
        world.stragglers().await.is_empty()
    })
    .await;
}

#[tokio::test]
async fn a_horizon_from_another_life_of_the_database_is_replaced() {
    let world = World::new().await;
    let (first, second) = two_orders_of_one_lane();
    write(&world, &first).await.rollback().await.unwrap();
    world.save(&second).await;
    world.relay_one().await;
    sqlx::query("UPDATE ordering.outbox_stragglers SET horizon = '4000000000000'")
        .execute(world.database.pool())
        .await
        .unwrap();
    eventually("the gap is dropped", async || {
        assert!(world.outbox.claim(10).await.unwrap().is_none());
        world.stragglers().await.is_empty()
    })
    .await;
}

#[tokio::test]
async fn a_jump_of_a_hundred_thousand_positions_holds_up_nothing_and_loses_nothing_in_it() {
    let world = World::new().await;
    let (first, second) = two_orders_of_one_lane();
    let (early, late) =
        (another_order_of(first.events.lane()), another_order_of(first.events.lane()));
    let doomed = another_order_of(first.events.lane());
    world.save(&first).await;
    jump(&world, &first, 50_000).await;
    let early_one = write(&world, &early).await;
    let doomed_one = write(&world, &doomed).await;
    let late_one = write(&world, &late).await;
    jump(&world, &first, 50_000).await;
    world.save(&second).await;

    let mut published = Vec::new();
    let mut claims = 0;
    while published.len() < 2 {
        published.extend(world.relay_one().await);
        claims += 1;
    }
    assert_eq!(published, [first.events.events[0].id, second.events.events[0].id]);
    assert!(claims <= 2, "{claims} claims for two events");
    assert!(world.stragglers().await.is_empty(), "not one by one");
    assert_eq!(gaps(&world).await, [100_003]);
    assert!(world.outbox.claim(10).await.unwrap().is_none(), "its writers still run");

    late_one.commit().await.unwrap();
    assert_eq!(world.statuses().await, ["processed", "late", "processed"]);
    assert_eq!(world.relay_one().await, late.event_ids());
    assert_eq!(gaps(&world).await, [50_002, 50_000], "what is left has two pieces");
    doomed_one.rollback().await.unwrap();
    for _ in 0..5 {
        relay_another(&world, &first).await;
        assert_eq!(gaps(&world).await, [50_002, 50_000], "the early one may still come");
    }
    early_one.commit().await.unwrap();
    assert_eq!(world.relay_one().await, early.event_ids());
    no_gap_is_left(&world).await;
}

#[tokio::test]
async fn an_import_that_commits_in_a_gap_comes_before_what_was_recorded_behind_it() {
    let world = World::new().await;
    let (first, last) = two_orders_of_one_lane();
    world.save(&first).await;
    let mut import = world.database.pool().begin().await.unwrap();
    let mut imported = Vec::new();
    for _ in 0..150 {
        let order = another_order_of(first.events.lane());
        assert_eq!(order.run(&mut import).await.unwrap(), Write::Written);
        imported.push(order);
    }
    world.save(&last).await;
    let mut published = world.relay_one().await;
    if published.len() == 1 {
        published.extend(world.relay_one().await);
    }
    assert_eq!(published, [first.events.events[0].id, last.events.events[0].id]);
    assert_eq!(gaps(&world).await, [150]);
    import.commit().await.unwrap();
    let mut expected: Vec<_> = imported.iter().map(|order| order.events.events[0].id).collect();
    expected.push(world.cancel(&imported[149]).await);

    let backlog = PgBacklog::new(&world.database).measure().await.unwrap();
    assert_eq!((backlog.unprocessed, backlog.late), (151, 150));
    let mut published = Vec::new();
    while published.len() < 151 {
        let claim = world.outbox.claim(7).await.unwrap().unwrap();
        assert!(claim.more_may_be_due() || published.len() + claim.records().len() == 151);
        published.extend(claim.records().iter().map(|record| record.event_id.get()));
        super::publish(claim).await;
    }
    assert_eq!(published, expected);
    no_gap_is_left(&world).await;
}

#[tokio::test]
async fn an_event_in_a_gap_that_fails_is_refused_or_waits_leaves_no_other_behind() {
    let world = World::new().await;
    let (first, last) = two_orders_of_one_lane();
    let late: Vec<_> = (0..4).map(|_| another_order_of(first.events.lane())).collect();
    world.save(&first).await;
    jump(&world, &first, 200).await;
    let mut writer = world.database.pool().begin().await.unwrap();
    for order in &late {
        assert_eq!(order.run(&mut writer).await.unwrap(), Write::Written);
    }
    world.save(&last).await;
    while world.statuses().await != ["processed", "processed"] {
        world.relay_one().await;
    }
    writer.commit().await.unwrap();
    let cancelled = world.cancel(&late[0]).await;
    let verdicts = [
        Verdict::Failed("not today".to_owned()),
        Verdict::Refused("too large".to_owned()),
        Verdict::Published,
    ];
    world.claim().await.settle(&verdicts).await.unwrap();
    assert_eq!(world.relay_one().await, late[3].event_ids(), "it was not sent the first time");
    assert_eq!(
        world.statuses().await,
        ["processed", "failed", "dead", "processed", "processed", "processed", "pending"]
    );
    world.end_all_waits().await;
    assert_eq!(world.relay_one().await, [late[0].events.events[0].id, cancelled]);
    no_gap_is_left(&world).await;
}

#[tokio::test]
async fn a_replay_takes_a_gap_behind_the_cursor_for_unread() {
    let world = World::new().await;
    let (first, second) = two_orders_of_one_lane();
    world.save(&first).await;
    jump(&world, &first, 200).await;
    let slow = write(&world, &another_order_of(first.events.lane())).await;
    world.save(&second).await;
    while world.statuses().await != ["processed", "processed"] {
        world.relay_one().await;
    }
    assert_eq!(gaps(&world).await, [201]);
    PgReplay::new(&world.database).rewind(None).await.unwrap();
    assert!(gaps(&world).await.is_empty());
    slow.commit().await.unwrap();
    while world.statuses().await != ["processed", "processed", "processed"] {
        world.relay_one().await;
    }
    no_gap_is_left(&world).await;
}

#[tokio::test]
async fn a_day_is_kept_while_an_event_of_it_lies_in_a_gap() {
    let world = World::new().await;
    let (first, second) = two_orders_of_one_lane();
    jump(&world, &first, 200).await;
    let slow = write(&world, &first).await;
    world.save(&second).await;
    world.relay_one().await;
    slow.commit().await.unwrap();
    world.move_all_days_back(3).await;
    let keep = Keep { days_ahead: 7, events: DAY, answers: DAY };
    let house = Housekeeping::new(&world.database, keep);
    assert_eq!(house.tidy().await.days.needed, 1);
    assert_eq!(world.relay_one().await, first.event_ids());
    assert_eq!(house.tidy().await.days.dropped, 1);
}

const DAY: Duration = Duration::from_hours(24);

/// Takes positions of an order's lane as a transaction does that writes nothing.
async fn jump(world: &World, order: &Save, positions: i32) {
    sqlx::query("SELECT nextval($1::text::regclass) FROM generate_series(1, $2)")
        .bind(order.events.lane().sequence())
        .bind(positions)
        .execute(world.database.pool())
        .await
        .unwrap();
}

/// How many positions each range has that is noted as a gap.
async fn gaps(world: &World) -> Vec<i64> {
    let query = "SELECT last_position - first_position + 1 FROM ordering.outbox_gaps
                 ORDER BY lane, first_position";
    sqlx::query_scalar(query).fetch_all(world.database.pool()).await.unwrap()
}

/// Waits until all gaps are proved to be empty.
async fn no_gap_is_left(world: &World) {
    eventually("the gap is dropped", async || {
        assert!(world.outbox.claim(10).await.unwrap().is_none());
        gaps(world).await.is_empty() && world.stragglers().await.is_empty()
    })
    .await;
}

/// Saves and relays another order of the lane, so that a claim looks at what is late there.
async fn relay_another(world: &World, order: &Save) {
    let other = another_order_of(order.events.lane());
    world.save(&other).await;
    assert_eq!(world.relay_one().await, other.event_ids());
}

/// Saves an order in a transaction that is left open.
async fn write(world: &World, save: &Save) -> Transaction<'static, Postgres> {
    let mut transaction = world.database.pool().begin().await.unwrap();
    assert_eq!(save.run(&mut transaction).await.unwrap(), Write::Written);
    transaction
}

/// A transaction that has its id and does nothing.
async fn running_transaction(world: &World) -> Transaction<'static, Postgres> {
    let mut transaction = world.database.pool().begin().await.unwrap();
    sqlx::query("SELECT pg_current_xact_id()").execute(&mut *transaction).await.unwrap();
    transaction
}
