//! Tests of gaps: positions whose transaction is still running or was rolled back.

use std::time::Duration;

use adapter_outbox::{PgBacklog, PgReplay};
use application::relay::{Claim, MeasureBacklog, Outbox, Replay, Verdict};
use sqlx::{Postgres, Transaction};

use super::{Fixture, another_order_in, eventually, two_orders_in_one_lane};
use crate::save::{Save, Write};
use crate::{Housekeeping, Retention};

#[tokio::test]
async fn an_event_that_commits_after_the_cursor_has_passed_its_position_is_published() {
    let fixture = Fixture::new().await;
    let (first, second) = two_orders_in_one_lane();
    let slow = write(&fixture, &first).await;
    fixture.save(&second).await;

    assert_eq!(fixture.relay_one().await, second.event_ids(), "the cursor moves past the gap");
    assert_eq!(fixture.stragglers().await, ["late"]);
    assert!(fixture.outbox.claim(10).await.unwrap().is_none(), "its transaction still runs");
    slow.commit().await.unwrap();
    assert_eq!(fixture.relay_one().await, first.event_ids());
    assert!(fixture.stragglers().await.is_empty());
}

#[tokio::test]
async fn the_cursor_does_not_move_past_a_gap_before_the_row_after_it_is_old_enough() {
    let fixture = Fixture::new().await;
    let (first, second) = two_orders_in_one_lane();
    let slow = write(&fixture, &first).await;
    fixture.save(&second).await;
    // As if the row after the gap had been recorded at this moment.
    sqlx::query("UPDATE ordering.outbox SET recorded_at = clock_timestamp() + interval '0.5 s'")
        .execute(fixture.database.pool())
        .await
        .unwrap();
    assert!(fixture.outbox.claim(10).await.unwrap().is_none());
    assert!(fixture.stragglers().await.is_empty());
    slow.commit().await.unwrap();
    let both = [first.events.events[0].id, second.events.events[0].id];
    assert_eq!(fixture.relay_one().await, both);
}

#[tokio::test]
async fn a_rolled_back_position_is_dropped_only_after_all_older_transactions_have_ended() {
    let fixture = Fixture::new().await;
    let (first, second) = two_orders_in_one_lane();
    let older = running_transaction(&fixture).await;
    let rolled_back = write(&fixture, &first).await;
    fixture.save(&second).await;
    fixture.relay_one().await;
    rolled_back.rollback().await.unwrap();

    for _ in 0..5 {
        relay_another(&fixture, &first).await;
        assert_eq!(
            fixture.stragglers().await,
            ["late"],
            "an older transaction could still insert the row"
        );
    }
    let younger = running_transaction(&fixture).await;
    older.commit().await.unwrap();
    eventually("the gap is dropped", async || {
        assert!(fixture.outbox.claim(10).await.unwrap().is_none());
        fixture.stragglers().await.is_empty()
    })
    .await;
    younger.rollback().await.unwrap();
}

#[tokio::test]
async fn a_position_is_not_dropped_while_its_own_transaction_runs_even_if_others_end() {
    let fixture = Fixture::new().await;
    let (first, second) = two_orders_in_one_lane();
    // The transaction has its id, but takes its position after another one has begun and ended.
    let mut slow = running_transaction(&fixture).await;
    running_transaction(&fixture).await.commit().await.unwrap();
    assert_eq!(first.run(&mut slow).await.unwrap(), Write::Written);
    fixture.save(&second).await;
    fixture.relay_one().await;
    for _ in 0..5 {
        running_transaction(&fixture).await.commit().await.unwrap();
        relay_another(&fixture, &first).await;
        assert_eq!(fixture.stragglers().await, ["late"]);
    }
    slow.commit().await.unwrap();
    assert_eq!(fixture.relay_one().await, first.event_ids());
    assert!(fixture.stragglers().await.is_empty());
}

#[tokio::test]
async fn the_cursor_moves_past_a_gap_that_is_wider_than_a_batch() {
    let fixture = Fixture::new().await;
    let (first, second) = two_orders_in_one_lane();
    fixture.save(&first).await;
    sqlx::query("SELECT nextval($1::text::regclass) FROM generate_series(1, 25)")
        .bind(first.events.lane().sequence())
        .execute(fixture.database.pool())
        .await
        .unwrap();
    fixture.save(&second).await;
    let mut published = Vec::new();
    eventually("both are published", async || {
        if let Some(claim) = fixture.outbox.claim(10).await.unwrap() {
            published.extend(claim.records().iter().map(|record| record.event_id.get()));
            super::publish(claim).await;
        }
        published.len() == 2
    })
    .await;
    assert_eq!(published, [first.events.events[0].id, second.events.events[0].id]);
    eventually("the gap is dropped", async || {
        assert!(fixture.outbox.claim(10).await.unwrap().is_none());
        fixture.stragglers().await.is_empty()
    })
    .await;
}

#[tokio::test]
async fn a_horizon_above_all_transaction_ids_of_the_server_is_replaced() {
    let fixture = Fixture::new().await;
    let (first, second) = two_orders_in_one_lane();
    write(&fixture, &first).await.rollback().await.unwrap();
    fixture.save(&second).await;
    fixture.relay_one().await;
    sqlx::query("UPDATE ordering.outbox_stragglers SET horizon = '4000000000000'")
        .execute(fixture.database.pool())
        .await
        .unwrap();
    eventually("the gap is dropped", async || {
        assert!(fixture.outbox.claim(10).await.unwrap().is_none());
        fixture.stragglers().await.is_empty()
    })
    .await;
}

#[tokio::test]
async fn a_jump_of_100_000_positions_delays_nothing_and_no_event_in_it_is_lost() {
    let fixture = Fixture::new().await;
    let (first, second) = two_orders_in_one_lane();
    let (early, late) =
        (another_order_in(first.events.lane()), another_order_in(first.events.lane()));
    let rolled_back = another_order_in(first.events.lane());
    fixture.save(&first).await;
    jump(&fixture, &first, 50_000).await;
    let early_write = write(&fixture, &early).await;
    let rolled_back_write = write(&fixture, &rolled_back).await;
    let late_write = write(&fixture, &late).await;
    jump(&fixture, &first, 50_000).await;
    fixture.save(&second).await;

    let mut published = Vec::new();
    let mut claims = 0;
    while published.len() < 2 {
        published.extend(fixture.relay_one().await);
        claims += 1;
    }
    assert_eq!(published, [first.events.events[0].id, second.events.events[0].id]);
    assert!(claims <= 2, "{claims} claims for two events");
    assert!(fixture.stragglers().await.is_empty(), "the gap is recorded as a range");
    assert_eq!(gaps(&fixture).await, [100_003]);
    assert!(fixture.outbox.claim(10).await.unwrap().is_none(), "its transactions still run");

    late_write.commit().await.unwrap();
    assert_eq!(fixture.statuses().await, ["processed", "late", "processed"]);
    assert_eq!(fixture.relay_one().await, late.event_ids());
    assert_eq!(gaps(&fixture).await, [50_002, 50_000], "two ranges remain");
    rolled_back_write.rollback().await.unwrap();
    for _ in 0..5 {
        relay_another(&fixture, &first).await;
        assert_eq!(gaps(&fixture).await, [50_002, 50_000], "the early order may still commit");
    }
    early_write.commit().await.unwrap();
    assert_eq!(fixture.relay_one().await, early.event_ids());
    wait_until_all_gaps_are_dropped(&fixture).await;
}

#[tokio::test]
async fn an_import_that_commits_in_a_gap_is_published_in_the_sequence_of_its_positions() {
    let fixture = Fixture::new().await;
    let (first, last) = two_orders_in_one_lane();
    fixture.save(&first).await;
    let mut import = fixture.database.pool().begin().await.unwrap();
    let mut imported = Vec::new();
    for _ in 0..150 {
        let order = another_order_in(first.events.lane());
        assert_eq!(order.run(&mut import).await.unwrap(), Write::Written);
        imported.push(order);
    }
    fixture.save(&last).await;
    let mut published = fixture.relay_one().await;
    if published.len() == 1 {
        published.extend(fixture.relay_one().await);
    }
    assert_eq!(published, [first.events.events[0].id, last.events.events[0].id]);
    assert_eq!(gaps(&fixture).await, [150]);
    import.commit().await.unwrap();
    let mut expected: Vec<_> = imported.iter().map(|order| order.events.events[0].id).collect();
    expected.push(fixture.cancel(&imported[149]).await);

    let backlog = PgBacklog::new(&fixture.database).measure().await.unwrap();
    assert_eq!((backlog.unprocessed, backlog.late), (151, 150));
    let mut published = Vec::new();
    while published.len() < 151 {
        let claim = fixture.outbox.claim(7).await.unwrap().unwrap();
        assert!(claim.more_may_be_due() || published.len() + claim.records().len() == 151);
        published.extend(claim.records().iter().map(|record| record.event_id.get()));
        super::publish(claim).await;
    }
    assert_eq!(published, expected);
    wait_until_all_gaps_are_dropped(&fixture).await;
}

#[tokio::test]
async fn no_event_in_a_gap_is_lost_if_others_fail_are_refused_or_wait() {
    let fixture = Fixture::new().await;
    let (first, last) = two_orders_in_one_lane();
    let late: Vec<_> = (0..4).map(|_| another_order_in(first.events.lane())).collect();
    fixture.save(&first).await;
    jump(&fixture, &first, 200).await;
    let mut writer = fixture.database.pool().begin().await.unwrap();
    for order in &late {
        assert_eq!(order.run(&mut writer).await.unwrap(), Write::Written);
    }
    fixture.save(&last).await;
    while fixture.statuses().await != ["processed", "processed"] {
        fixture.relay_one().await;
    }
    writer.commit().await.unwrap();
    let cancelled = fixture.cancel(&late[0]).await;
    let verdicts = [
        Verdict::Failed("no".to_owned()),
        Verdict::Refused("too large".to_owned()),
        Verdict::Published,
    ];
    fixture.claim().await.settle(&verdicts).await.unwrap();
    assert_eq!(fixture.relay_one().await, late[3].event_ids(), "it was not sent the first time");
    assert_eq!(
        fixture.statuses().await,
        ["processed", "failed", "dead", "processed", "processed", "processed", "pending"]
    );
    fixture.make_retries_due().await;
    assert_eq!(fixture.relay_one().await, [late[0].events.events[0].id, cancelled]);
    wait_until_all_gaps_are_dropped(&fixture).await;
}

#[tokio::test]
async fn a_replay_drops_a_gap_above_the_new_cursor_and_reads_its_rows_again() {
    let fixture = Fixture::new().await;
    let (first, second) = two_orders_in_one_lane();
    fixture.save(&first).await;
    jump(&fixture, &first, 200).await;
    let slow = write(&fixture, &another_order_in(first.events.lane())).await;
    fixture.save(&second).await;
    while fixture.statuses().await != ["processed", "processed"] {
        fixture.relay_one().await;
    }
    assert_eq!(gaps(&fixture).await, [201]);
    PgReplay::new(&fixture.database).rewind(None).await.unwrap();
    assert!(gaps(&fixture).await.is_empty());
    slow.commit().await.unwrap();
    while fixture.statuses().await != ["processed", "processed", "processed"] {
        fixture.relay_one().await;
    }
    wait_until_all_gaps_are_dropped(&fixture).await;
}

#[tokio::test]
async fn a_day_is_kept_while_it_has_an_unpublished_event_in_a_gap() {
    let fixture = Fixture::new().await;
    let (first, second) = two_orders_in_one_lane();
    jump(&fixture, &first, 200).await;
    let slow = write(&fixture, &first).await;
    fixture.save(&second).await;
    fixture.relay_one().await;
    slow.commit().await.unwrap();
    fixture.move_all_days_back(3).await;
    let keep = Retention { days_ahead: 7, events: DAY, answers: DAY, dead_letters: DAY };
    let housekeeping = Housekeeping::new(&fixture.database, keep);
    assert_eq!(housekeeping.tidy().await.days.needed, 1);
    assert_eq!(fixture.relay_one().await, first.event_ids());
    assert_eq!(housekeeping.tidy().await.days.dropped, 1);
}

const DAY: Duration = Duration::from_hours(24);

/// Takes positions in the lane of an order, without inserting rows.
async fn jump(fixture: &Fixture, order: &Save, positions: i32) {
    sqlx::query("SELECT nextval($1::text::regclass) FROM generate_series(1, $2)")
        .bind(order.events.lane().sequence())
        .bind(positions)
        .execute(fixture.database.pool())
        .await
        .unwrap();
}

/// The width of each wide gap.
async fn gaps(fixture: &Fixture) -> Vec<i64> {
    let query = "SELECT last_position - first_position + 1 FROM ordering.outbox_gaps
                 ORDER BY lane, first_position";
    sqlx::query_scalar(query).fetch_all(fixture.database.pool()).await.unwrap()
}

/// Waits until all gaps are dropped.
async fn wait_until_all_gaps_are_dropped(fixture: &Fixture) {
    eventually("the gap is dropped", async || {
        assert!(fixture.outbox.claim(10).await.unwrap().is_none());
        gaps(fixture).await.is_empty() && fixture.stragglers().await.is_empty()
    })
    .await;
}

/// Saves and publishes another order in the lane, so that a claim looks at the gaps of this lane.
async fn relay_another(fixture: &Fixture, order: &Save) {
    let other = another_order_in(order.events.lane());
    fixture.save(&other).await;
    assert_eq!(fixture.relay_one().await, other.event_ids());
}

/// Saves an order in a transaction and leaves the transaction open.
async fn write(fixture: &Fixture, save: &Save) -> Transaction<'static, Postgres> {
    let mut transaction = fixture.database.pool().begin().await.unwrap();
    assert_eq!(save.run(&mut transaction).await.unwrap(), Write::Written);
    transaction
}

/// An open transaction that has an id and changes nothing.
async fn running_transaction(fixture: &Fixture) -> Transaction<'static, Postgres> {
    let mut transaction = fixture.database.pool().begin().await.unwrap();
    sqlx::query("SELECT pg_current_xact_id()").execute(&mut *transaction).await.unwrap();
    transaction
}
