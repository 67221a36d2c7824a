//! What a claim locks, holds back and gives free.

use std::collections::HashSet;

use adapter_outbox::LANES_AT_ONCE;
use adapter_outbox::Lane;
use application::relay::{Claim, Outbox, Verdict};

use super::{World, another_order_of, eventually, publish, two_orders_of_one_lane};

#[tokio::test]
async fn a_failed_record_holds_up_the_later_events_of_its_order_but_no_others() {
    let world = World::new().await;
    let (failing, other) = two_orders_of_one_lane();
    world.save(&failing).await;
    let claim = world.claim().await;
    claim.settle(&[Verdict::Failed("not today\0".to_owned())]).await.unwrap();

    let cancelled = world.cancel(&failing).await;
    world.save(&other).await;
    assert_eq!(world.relay_one().await, other.event_ids(), "the cancellation waits");
    assert_eq!(world.stragglers().await, ["failed", "held"]);
    assert!(world.outbox.claim(10).await.unwrap().is_none());

    world.end_all_waits().await;
    assert_eq!(world.relay_one().await, [failing.events.events[0].id, cancelled]);
    assert!(world.stragglers().await.is_empty());
}

#[tokio::test]
async fn what_waits_behind_a_failed_event_takes_no_room_from_what_is_due() {
    let world = World::new().await;
    let (first, due) = two_orders_of_one_lane();
    let failing = [first, another_order_of(due.events.lane()), another_order_of(due.events.lane())];
    for order in &failing {
        world.save(order).await;
    }
    let failed = vec![Verdict::Failed("not today".to_owned()); failing.len()];
    world.claim().await.settle(&failed).await.unwrap();
    for order in &failing {
        world.cancel(order).await;
    }
    assert!(world.outbox.claim(10).await.unwrap().is_none());
    world.save(&due).await;
    world.claim().await.settle(&[Verdict::Failed("not today".to_owned())]).await.unwrap();
    assert_eq!(
        world.stragglers().await,
        ["failed", "failed", "failed", "held", "held", "held", "failed"]
    );

    sqlx::query("UPDATE ordering.outbox_stragglers SET retry_at = now() WHERE order_id = $1")
        .bind(due.order.id)
        .execute(world.database.pool())
        .await
        .unwrap();
    let claim = world.outbox.claim(1).await.unwrap().unwrap();
    assert_eq!(claim.records()[0].event_id.get(), due.events.events[0].id);
}

#[tokio::test]
async fn a_lane_that_cannot_be_published_does_not_keep_the_others_from_being_tried() {
    let world = World::new().await;
    let (order, _) = two_orders_of_one_lane();
    world.save(&order).await;
    for _ in 0..2 {
        // The registry does not know its schema, say.
        world.claim().await.settle(&[Verdict::Unsent]).await.unwrap();
    }
    for _ in 0..16 {
        world.place_through_the_port().await;
    }
    let query = "SELECT count(DISTINCT lane) FROM ordering.outbox";
    let wanted: i64 = sqlx::query_scalar(query).fetch_one(world.database.pool()).await.unwrap();
    let wanted = usize::try_from(wanted).unwrap();
    let mut lanes = HashSet::new();
    // As many claims as it takes if none has a lane's second turn before another lane's first.
    for _ in 0..wanted.div_ceil(LANES_AT_ONCE) {
        let claim = world.claim().await;
        lanes.extend(claim.records().iter().map(|record| record.lane));
        let unsent = vec![Verdict::Unsent; claim.records().len()];
        claim.settle(&unsent).await.unwrap();
    }
    assert_eq!(lanes.len(), wanted, "each lane had its turn before any had its second");
}

#[tokio::test]
async fn a_lane_that_makes_a_batch_is_claimed_alone_and_the_others_are_left_to_others() {
    let world = World::new().await;
    for _ in 0..120 {
        world.place_through_the_port().await;
    }
    let lanes = async || {
        let claim = world.outbox.claim(8).await.unwrap().unwrap();
        let lanes: HashSet<i16> = claim.records().iter().map(|record| record.lane).collect();
        (lanes.len(), claim)
    };
    let (several, first) = lanes().await;
    let (one, second) = lanes().await;
    assert_eq!((several, one), (LANES_AT_ONCE, 1), "120 orders are more than 2 for each lane");
    publish(first).await;
    publish(second).await;
}

#[tokio::test]
async fn each_failure_doubles_the_wait_up_to_five_minutes() {
    let world = World::new().await;
    world.save(&two_orders_of_one_lane().0).await;
    for wait in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
        world.claim().await.settle(&[Verdict::Failed("no".to_owned())]).await.unwrap();
        let query = "SELECT extract(epoch FROM retry_at - now())::float8
                     FROM ordering.outbox_stragglers";
        let left: f64 = sqlx::query_scalar(query).fetch_one(world.database.pool()).await.unwrap();
        let wait = f64::from(wait);
        assert!(left <= wait && left > wait - 0.9, "{left} s are left of {wait} s");
        world.end_all_waits().await;
    }
}

#[tokio::test]
async fn a_relay_whose_session_is_killed_frees_its_lane_and_marks_nothing() {
    let world = World::new().await;
    let (order, _) = two_orders_of_one_lane();
    world.save(&order).await;
    let mut claim = world.claim().await;
    assert!(world.outbox.claim(10).await.unwrap().is_none(), "the lane is taken");

    let holder: i32 =
        sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(claim.connection()).await.unwrap();
    world.kill_session(holder).await;
    let again = world.claim().await;
    assert_eq!(again.records()[0].event_id.get(), order.events.events[0].id);
    let settled = claim.settle(&[Verdict::Published]).await;
    assert!(settled.unwrap_err().is_unavailable());
    drop(again);
    assert_eq!(world.relay_one().await, order.event_ids(), "it is still due");
}

#[tokio::test]
async fn a_relay_that_is_stopped_loses_its_lane() {
    let world = World::new().await;
    world.save(&two_orders_of_one_lane().0).await;
    let mut claim = world.claim().await;
    let timeout: String = sqlx::query_scalar("SHOW idle_in_transaction_session_timeout")
        .fetch_one(claim.connection())
        .await
        .unwrap();
    assert_eq!(timeout, "30s");
    // The same, in less time.
    sqlx::query("SET LOCAL idle_in_transaction_session_timeout = '100ms'")
        .execute(claim.connection())
        .await
        .unwrap();
    publish(world.claim().await).await;
    assert!(claim.settle(&[Verdict::Published]).await.unwrap_err().is_unavailable());
}

#[tokio::test]
async fn the_status_of_each_record_can_be_seen() {
    let world = World::new().await;
    let (first, second) = two_orders_of_one_lane();
    world.save(&first).await;
    assert_eq!(world.statuses().await, ["pending"]);
    world.claim().await.settle(&[Verdict::Failed("no".to_owned())]).await.unwrap();
    assert_eq!(world.statuses().await, ["failed"]);
    let cancelled = world.cancel(&first).await;
    world.save(&second).await;
    assert_eq!(world.relay_one().await, second.event_ids());
    assert_eq!(world.statuses().await, ["failed", "pending", "processed"]);

    world.end_all_waits().await;
    let verdicts = [Verdict::Refused("too large".to_owned()), Verdict::Published];
    world.claim().await.settle(&verdicts).await.unwrap();
    assert_eq!(world.statuses().await, ["dead", "processed", "processed"]);
    let (event, error, processed): (sqlx::types::Uuid, String, bool) = sqlx::query_as(
        "SELECT event_id, last_error, processed FROM ordering.outbox_status WHERE status = 'dead'",
    )
    .fetch_one(world.database.pool())
    .await
    .unwrap();
    assert_eq!((event, error.as_str(), processed), (first.events.events[0].id, "too large", false));
    assert_ne!(event, cancelled);
}

#[tokio::test]
async fn the_claim_reads_the_log_by_its_index_alone() {
    let world = World::new().await;
    world.save(&two_orders_of_one_lane().0).await;
    publish(world.claim().await).await;
    eventually("the outbox is read", async || world.scans("idx_scan").await > 0).await;
    let sequential = world.scans("seq_scan").await;
    let before = world.scans("idx_scan").await;
    for _ in 0..20 {
        world.place_through_the_port().await;
        publish(world.claim().await).await;
    }
    eventually("the outbox is read again", async || world.scans("idx_scan").await > before).await;
    assert_eq!(world.scans("seq_scan").await, sequential);
}

#[tokio::test]
async fn what_has_waited_for_days_is_found_without_a_pause_beside_what_is_new_but_taken() {
    let world = World::new().await;
    for _ in 0..60 {
        world.place_through_the_port().await;
    }
    sqlx::query("UPDATE ordering.outbox SET recorded_at = recorded_at - interval '3 days'")
        .execute(world.database.pool())
        .await
        .unwrap();
    let taken = world.outbox.claim(1).await.unwrap().unwrap();
    let lane = taken.records()[0].lane;
    let new = another_order_of(Lane::of(taken.records()[0].aggregate_id));
    world.save(&new).await;
    let mut found = 0;
    while let Some(claim) = world.outbox.claim(2).await.unwrap() {
        found += claim.records().len();
        publish(claim).await;
    }
    let query = "SELECT count(*) FROM ordering.outbox WHERE lane <> $1";
    let others: i64 =
        sqlx::query_scalar(query).bind(lane).fetch_one(world.database.pool()).await.unwrap();
    assert_eq!(i64::try_from(found).unwrap(), others);
}

#[tokio::test]
async fn a_claim_says_whether_it_leaves_more() {
    let world = World::new().await;
    let (first, second) = two_orders_of_one_lane();
    world.save(&first).await;
    let claim = world.claim().await;
    assert!(!claim.more_may_be_due());
    publish(claim).await;

    world.save(&second).await;
    world.save(&another_order_of(second.events.lane())).await;
    let claim = world.outbox.claim(1).await.unwrap().unwrap();
    assert!(claim.more_may_be_due());
}
