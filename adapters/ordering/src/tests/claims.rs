//! Tests of claims: which records they contain, and which lanes they lock and release.

use std::collections::HashSet;

use adapter_outbox::Lane;
use adapter_outbox::MAX_LANES_PER_CLAIM;
use adapter_outbox::PgOutbox;
use application::relay::{Claim, Outbox, Verdict};
use runtime::clock;

use super::{Fixture, another_order_in, eventually, place, publish, two_orders_in_one_lane};

#[tokio::test]
async fn a_failed_record_delays_only_the_later_events_of_its_order() {
    let fixture = Fixture::new().await;
    let (failing, other) = two_orders_in_one_lane();
    fixture.save(&failing).await;
    let claim = fixture.claim().await;
    claim.settle(&[Verdict::Failed("no\0".to_owned())]).await.unwrap();

    let cancelled = fixture.cancel(&failing).await;
    fixture.save(&other).await;
    assert_eq!(fixture.relay_one().await, other.event_ids(), "the cancellation waits");
    assert_eq!(fixture.stragglers().await, ["failed", "held"]);
    assert!(fixture.outbox.claim(10).await.unwrap().is_none());

    fixture.make_retries_due().await;
    assert_eq!(fixture.relay_one().await, [failing.events.events[0].id, cancelled]);
    assert!(fixture.stragglers().await.is_empty());
}

#[tokio::test]
async fn events_that_wait_for_a_failed_one_do_not_count_towards_the_limit_of_a_claim() {
    let fixture = Fixture::new().await;
    let (first, due) = two_orders_in_one_lane();
    let failing = [first, another_order_in(due.events.lane()), another_order_in(due.events.lane())];
    for order in &failing {
        fixture.save(order).await;
    }
    let failed = vec![Verdict::Failed("no".to_owned()); failing.len()];
    fixture.claim().await.settle(&failed).await.unwrap();
    for order in &failing {
        fixture.cancel(order).await;
    }
    assert!(fixture.outbox.claim(10).await.unwrap().is_none());
    fixture.save(&due).await;
    fixture.claim().await.settle(&[Verdict::Failed("no".to_owned())]).await.unwrap();
    assert_eq!(
        fixture.stragglers().await,
        ["failed", "failed", "failed", "held", "held", "held", "failed"]
    );

    sqlx::query("UPDATE ordering.outbox_stragglers SET retry_at = now() WHERE order_id = $1")
        .bind(due.order.id)
        .execute(fixture.database.pool())
        .await
        .unwrap();
    let claim = fixture.outbox.claim(1).await.unwrap().unwrap();
    assert_eq!(claim.records()[0].event_id.get(), due.events.events[0].id);
}

#[tokio::test]
async fn a_lane_that_cannot_be_published_does_not_block_other_lanes() {
    let fixture = Fixture::new().await;
    let (order, _) = two_orders_in_one_lane();
    fixture.save(&order).await;
    for _ in 0..2 {
        // For example, the registry does not have its schema.
        fixture.claim().await.settle(&[Verdict::Unsent]).await.unwrap();
    }
    for _ in 0..16 {
        fixture.place_order().await;
    }
    let query = "SELECT count(DISTINCT lane) FROM ordering.outbox";
    let wanted: i64 = sqlx::query_scalar(query).fetch_one(fixture.database.pool()).await.unwrap();
    let wanted = usize::try_from(wanted).unwrap();
    let mut lanes = HashSet::new();
    // This many claims are enough if no lane is claimed twice before all others were claimed once.
    for _ in 0..wanted {
        let claim = fixture.claim().await;
        let found: HashSet<i16> = claim.records().iter().map(|record| record.lane).collect();
        assert_eq!(found.len(), 1, "a claim that cannot be published must not lock other lanes");
        lanes.extend(found);
        let unsent = vec![Verdict::Unsent; claim.records().len()];
        claim.settle(&unsent).await.unwrap();
    }
    assert_eq!(lanes.len(), wanted, "each lane is claimed before any is claimed again");
}

#[tokio::test]
async fn a_claim_takes_one_lane_if_this_lane_fills_the_batch() {
    let fixture = Fixture::new().await;
    let (mut orders, mut filled) = (0, HashSet::new());
    while orders < 120 || filled.len() < MAX_LANES_PER_CLAIM {
        let order = place(clock::new_order_id());
        fixture.save(&order).await;
        filled.insert(order.events.lane().get());
        orders += 1;
    }
    let lanes = async || {
        let claim = fixture.outbox.claim(MAX_LANES_PER_CLAIM).await.unwrap().unwrap();
        let lanes: HashSet<i16> = claim.records().iter().map(|record| record.lane).collect();
        (lanes.len(), claim)
    };
    let (all, first) = lanes().await;
    publish(first).await;
    let (one, second) = lanes().await;
    publish(second).await;
    assert_eq!((all, one), (MAX_LANES_PER_CLAIM, 1));
}

#[tokio::test]
async fn all_claims_of_a_program_share_4_mib() {
    const CLAIMS: u32 = 64;
    let fixture = Fixture::new().await;
    for _ in 0..64 {
        fixture.place_order().await;
    }
    let large = "UPDATE ordering.outbox SET payload = decode(repeat('00', 50000), 'hex')";
    fixture.execute(large).await;
    let outbox = PgOutbox::new(&fixture.database, CLAIMS);
    let claim = outbox.claim(1000).await.unwrap().unwrap();
    let lanes = claim.records().chunk_by(|one, next| one.lane == next.lane);
    // Each lane may exceed the limit by its last record.
    let all_but_last: usize = lanes.map(|lane| (lane.len() - 1) * 50_000).sum();
    assert!(all_but_last < 4 * 1024 * 1024 / CLAIMS as usize, "{all_but_last} bytes");
}

#[tokio::test]
async fn each_failure_doubles_the_delay_up_to_five_minutes() {
    let fixture = Fixture::new().await;
    fixture.save(&two_orders_in_one_lane().0).await;
    for delay in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
        fixture.claim().await.settle(&[Verdict::Failed("no".to_owned())]).await.unwrap();
        let query = "SELECT extract(epoch FROM retry_at - now())::float8
                     FROM ordering.outbox_stragglers";
        let left: f64 = sqlx::query_scalar(query).fetch_one(fixture.database.pool()).await.unwrap();
        let delay = f64::from(delay);
        assert!(left <= delay && left > delay - 0.9, "{left} s of {delay} s are left");
        fixture.make_retries_due().await;
    }
}

#[tokio::test]
async fn a_claim_whose_session_is_killed_releases_its_lane_and_stores_nothing() {
    let fixture = Fixture::new().await;
    let (order, _) = two_orders_in_one_lane();
    fixture.save(&order).await;
    let mut claim = fixture.claim().await;
    assert!(fixture.outbox.claim(10).await.unwrap().is_none(), "the lane is claimed");

    let holder: i32 =
        sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(claim.connection()).await.unwrap();
    fixture.kill_session(holder).await;
    let again = fixture.claim().await;
    assert_eq!(again.records()[0].event_id.get(), order.events.events[0].id);
    let settled = claim.settle(&[Verdict::Published]).await;
    assert!(settled.unwrap_err().is_unavailable());
    drop(again);
    assert_eq!(fixture.relay_one().await, order.event_ids(), "it is still due");
}

#[tokio::test]
async fn a_claim_that_is_idle_for_too_long_loses_its_lane() {
    let fixture = Fixture::new().await;
    fixture.save(&two_orders_in_one_lane().0).await;
    let mut claim = fixture.claim().await;
    let timeout: String = sqlx::query_scalar("SHOW idle_in_transaction_session_timeout")
        .fetch_one(claim.connection())
        .await
        .unwrap();
    assert_eq!(timeout, "30s");
    // The same with a shorter timeout.
    sqlx::query("SET LOCAL idle_in_transaction_session_timeout = '100ms'")
        .execute(claim.connection())
        .await
        .unwrap();
    publish(fixture.claim().await).await;
    assert!(claim.settle(&[Verdict::Published]).await.unwrap_err().is_unavailable());
}

#[tokio::test]
async fn the_view_outbox_status_shows_the_status_of_each_record() {
    let fixture = Fixture::new().await;
    let (first, second) = two_orders_in_one_lane();
    fixture.save(&first).await;
    assert_eq!(fixture.statuses().await, ["pending"]);
    fixture.claim().await.settle(&[Verdict::Failed("no".to_owned())]).await.unwrap();
    assert_eq!(fixture.statuses().await, ["failed"]);
    let cancelled = fixture.cancel(&first).await;
    fixture.save(&second).await;
    assert_eq!(fixture.relay_one().await, second.event_ids());
    assert_eq!(fixture.statuses().await, ["failed", "pending", "processed"]);

    fixture.make_retries_due().await;
    let verdicts = [Verdict::Refused("too large".to_owned()), Verdict::Published];
    fixture.claim().await.settle(&verdicts).await.unwrap();
    assert_eq!(fixture.statuses().await, ["dead", "processed", "processed"]);
    let (event, error, processed): (sqlx::types::Uuid, String, bool) = sqlx::query_as(
        "SELECT event_id, last_error, processed FROM ordering.outbox_status WHERE status = 'dead'",
    )
    .fetch_one(fixture.database.pool())
    .await
    .unwrap();
    assert_eq!((event, error.as_str(), processed), (first.events.events[0].id, "too large", false));
    assert_ne!(event, cancelled);
}

#[tokio::test]
async fn a_claim_reads_the_outbox_only_by_its_index() {
    let fixture = Fixture::new().await;
    fixture.save(&two_orders_in_one_lane().0).await;
    publish(fixture.claim().await).await;
    eventually("the outbox is read", async || fixture.scans("idx_scan").await > 0).await;
    let sequential = fixture.scans("seq_scan").await;
    let before = fixture.scans("idx_scan").await;
    for _ in 0..20 {
        fixture.place_order().await;
        publish(fixture.claim().await).await;
    }
    eventually("the outbox is read again", async || fixture.scans("idx_scan").await > before).await;
    assert_eq!(fixture.scans("seq_scan").await, sequential);
}

#[tokio::test]
async fn old_events_are_found_at_once_even_if_new_ones_in_another_lane_are_claimed() {
    let fixture = Fixture::new().await;
    for _ in 0..60 {
        fixture.place_order().await;
    }
    sqlx::query("UPDATE ordering.outbox SET recorded_at = recorded_at - interval '3 days'")
        .execute(fixture.database.pool())
        .await
        .unwrap();
    let taken = fixture.outbox.claim(1).await.unwrap().unwrap();
    let lane = taken.records()[0].lane;
    let new = another_order_in(Lane::of(taken.records()[0].aggregate_id));
    fixture.save(&new).await;
    let mut found = 0;
    while let Some(claim) = fixture.outbox.claim(2).await.unwrap() {
        found += claim.records().len();
        publish(claim).await;
    }
    let query = "SELECT count(*) FROM ordering.outbox WHERE lane <> $1";
    let others: i64 =
        sqlx::query_scalar(query).bind(lane).fetch_one(fixture.database.pool()).await.unwrap();
    assert_eq!(i64::try_from(found).unwrap(), others);
}

#[tokio::test]
async fn a_claim_says_whether_more_records_may_be_due() {
    let fixture = Fixture::new().await;
    let (first, second) = two_orders_in_one_lane();
    fixture.save(&first).await;
    let claim = fixture.claim().await;
    assert!(!claim.more_may_be_due());
    publish(claim).await;

    fixture.save(&second).await;
    fixture.save(&another_order_in(second.events.lane())).await;
    let claim = fixture.outbox.claim(1).await.unwrap().unwrap();
    assert!(claim.more_may_be_due());
}
