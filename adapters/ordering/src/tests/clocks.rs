//! Tests with wrong clocks and failing steps of housekeeping: nothing is deleted too early, and the
//! other steps still run.

use std::time::Duration;

use adapter_outbox::PgOutboxDeadLetters;
use adapter_outbox::days::DaysReport;
use application::dead_letters::DeadLetters;
use application::relay::{Claim, Outbox, Verdict};
use domain::EventId;
use sqlx::AssertSqlSafe;

use super::{Fixture, two_orders_in_one_lane};
use crate::save::Write;
use crate::{Housekeeping, HousekeepingReport, Retention};

const DAY: Duration = Duration::from_hours(24);
const KEEP: Retention = Retention { days_ahead: 7, events: DAY, answers: DAY, dead_letters: DAY };

async fn run(fixture: &Fixture, statement: &str) {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(fixture.database.pool()).await.unwrap();
}

async fn holds(fixture: &Fixture, condition: &'static str) -> bool {
    sqlx::query_scalar(condition).fetch_one(fixture.database.pool()).await.unwrap()
}

/// A fixture with one old day whose event is published, and 30 answers that are 1 to 30 hours old.
async fn fixture_with_old_data() -> (Fixture, Housekeeping) {
    let fixture = Fixture::new().await;
    let (order, _) = two_orders_in_one_lane();
    fixture.save(&order).await;
    fixture.relay_one().await;
    fixture.move_all_days_back(3).await;
    let answers = "INSERT INTO ordering.causes (kind, key, answer, answered_at)
                   SELECT 'request', n::text, '{}', now() - n * interval '1 hour'
                   FROM generate_series(1, 30) AS n";
    run(&fixture, answers).await;
    let housekeeping = Housekeeping::new(&fixture.database, KEEP);
    (fixture, housekeeping)
}

#[tokio::test]
async fn nothing_is_deleted_after_a_jump_of_the_clock_until_24_hourly_rounds_confirm_it() {
    for jump in ["-10 days", "10 days"] {
        let (fixture, housekeeping) = fixture_with_old_data().await;
        // Only the difference to the last trusted time matters.
        let jump = format!(
            "UPDATE ordering.housekeeping_clock SET believed_at = now() - interval '{jump}'"
        );
        run(&fixture, &jump).await;
        let doubted = HousekeepingReport { clock_doubted: true, ..HousekeepingReport::default() };
        for _ in 1..24 {
            assert_eq!(housekeeping.tidy().await, doubted);
            let an_hour_later = "UPDATE ordering.housekeeping_clock
                                 SET doubted_at = doubted_at - interval '1 hour'";
            run(&fixture, an_hour_later).await;
        }
        let done = HousekeepingReport {
            days: DaysReport { dropped: 1, ..DaysReport::default() },
            answers_deleted: 7,
            ..HousekeepingReport::default()
        };
        assert_eq!(housekeeping.tidy().await, done);
    }
}

#[tokio::test]
async fn a_corrected_clock_is_trusted_at_once() {
    let (fixture, housekeeping) = fixture_with_old_data().await;
    run(
        &fixture,
        "UPDATE ordering.housekeeping_clock SET believed_at = now() - interval '10 days'",
    )
    .await;
    assert!(housekeeping.tidy().await.clock_doubted);
    run(&fixture, "UPDATE ordering.housekeeping_clock SET believed_at = now() - interval '1 hour'")
        .await;
    let done = HousekeepingReport {
        days: DaysReport { dropped: 1, ..DaysReport::default() },
        answers_deleted: 7,
        ..HousekeepingReport::default()
    };
    assert_eq!(housekeeping.tidy().await, done);
    assert!(holds(&fixture, "SELECT doubted_at IS NULL FROM ordering.housekeeping_clock").await);
}

#[tokio::test]
async fn an_answer_that_was_stored_while_the_clock_was_behind_is_not_deleted_too_early() {
    let fixture = Fixture::new().await;
    run(
        &fixture,
        "UPDATE ordering.housekeeping_clock SET believed_at = now() + interval '10 days'",
    )
    .await;
    run(&fixture, "INSERT INTO ordering.causes (kind, key, answer) VALUES ('request', 'k', '{}')")
        .await;
    let dated = "SELECT answered_at = believed_at
                 FROM ordering.causes, ordering.housekeeping_clock";
    assert!(holds(&fixture, dated).await);
}

#[tokio::test]
async fn an_answer_that_was_stored_while_the_clock_was_ahead_is_kept_no_longer_than_others() {
    let (fixture, housekeeping) = fixture_with_old_data().await;
    run(
        &fixture,
        "UPDATE ordering.causes SET answered_at = now() + interval '10 years'
                 WHERE key = '1'",
    )
    .await;
    assert_eq!(housekeeping.tidy().await.answers_deleted, 7);
    assert!(holds(&fixture, "SELECT max(answered_at) <= now() FROM ordering.causes").await);
}

#[tokio::test]
async fn a_step_that_fails_does_not_stop_the_others() {
    let (fixture, housekeeping) = fixture_with_old_data().await;
    run(&fixture, "ALTER FUNCTION ordering.drop_outbox_day RENAME TO gone").await;
    let done =
        HousekeepingReport { answers_deleted: 7, failed: 1, ..HousekeepingReport::default() };
    assert_eq!(housekeeping.tidy().await, done);
    run(&fixture, "ALTER FUNCTION ordering.gone RENAME TO drop_outbox_day").await;
    assert_eq!(
        housekeeping.tidy().await,
        HousekeepingReport {
            days: DaysReport { dropped: 1, ..DaysReport::default() },
            ..HousekeepingReport::default()
        }
    );
}

#[tokio::test]
async fn if_the_clock_cannot_be_read_days_are_created_and_nothing_is_deleted() {
    let (fixture, housekeeping) = fixture_with_old_data().await;
    run(&fixture, "ALTER TABLE ordering.housekeeping_clock RENAME TO gone").await;
    run(&fixture, "SELECT ordering.drop_outbox_day((now() AT TIME ZONE 'UTC')::date + 7)").await;
    let done = HousekeepingReport {
        days: DaysReport { created: 1, ..DaysReport::default() },
        failed: 1,
        ..HousekeepingReport::default()
    };
    assert_eq!(housekeeping.tidy().await, done);
}

#[tokio::test]
async fn a_retry_that_was_stored_while_the_clock_was_ahead_is_not_delayed_beyond_the_maximum() {
    let fixture = Fixture::new().await;
    let (order, _) = two_orders_in_one_lane();
    fixture.save(&order).await;
    let failed = [Verdict::Failed("no".to_owned())];
    fixture.claim().await.settle(&failed).await.unwrap();
    fixture.cancel(&order).await;
    for (delay, events) in [("5 minutes", 0), ("7 minutes", 2), ("10 years", 2)] {
        let set_retry =
            format!("UPDATE ordering.outbox_stragglers SET retry_at = now() + interval '{delay}'");
        run(&fixture, &set_retry).await;
        let claim = fixture.outbox.claim(10).await.unwrap();
        assert_eq!(claim.as_ref().map_or(0, |claim| claim.records().len()), events, "{delay}");
        if let Some(claim) = claim {
            claim.settle(&[]).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_lane_that_was_settled_while_the_clock_was_ahead_is_claimed_first() {
    let fixture = Fixture::new().await;
    run(
        &fixture,
        "UPDATE ordering.outbox_lanes SET settled_at = now() - lane * interval '1 second'",
    )
    .await;
    let (order, _) = two_orders_in_one_lane();
    let lane = order.events.lane().get();
    fixture.save(&order).await;
    let ahead = format!(
        "UPDATE ordering.outbox_lanes SET settled_at = now() + interval '1 year' WHERE lane = {lane}"
    );
    run(&fixture, &ahead).await;
    for _ in 0..64 {
        fixture.place_order().await;
    }
    // A claim of one lane, as when there is a backlog.
    let claim = fixture.outbox.claim(1).await.unwrap().unwrap();
    assert_eq!(claim.records()[0].lane, lane);
}

#[tokio::test]
async fn an_event_that_was_recorded_while_the_clock_was_ahead_does_not_wait_for_a_gap_before_it() {
    let fixture = Fixture::new().await;
    let (missing, order) = two_orders_in_one_lane();
    let mut writer = fixture.database.pool().begin().await.unwrap();
    assert_eq!(missing.run(&mut writer).await.unwrap(), Write::Written);
    writer.rollback().await.unwrap();
    fixture.save(&order).await;
    run(&fixture, "UPDATE ordering.outbox SET recorded_at = now() + interval '1 day'").await;
    let claim = fixture.outbox.claim(10).await.unwrap().expect("the event is due");
    assert_eq!(claim.records()[0].event_id.get(), order.events.events[0].id);
}

#[tokio::test]
async fn a_discarded_dead_letter_is_deleted_after_its_event() {
    let fixture = Fixture::new().await;
    let housekeeping = Housekeeping::new(&fixture.database, KEEP);
    let (first, second) = two_orders_in_one_lane();
    fixture.save(&first).await;
    fixture.save(&second).await;
    let refused = || Verdict::Refused("too large".to_owned());
    fixture.outbox.claim(10).await.unwrap().unwrap().settle(&[refused(), refused()]).await.unwrap();
    let letters = PgOutboxDeadLetters::new(&fixture.database);
    let events = [&first, &second].map(|save| EventId::new(save.events.events[0].id));
    assert_eq!(letters.discard(&events).await.unwrap().len(), 2);
    run(
        &fixture,
        "UPDATE ordering.outbox_dead_letters SET discarded_at = now() - interval '2 days'",
    )
    .await;
    assert_eq!(housekeeping.tidy().await.days.dead_letters_deleted, 0, "their events still exist");
    run(&fixture, "DELETE FROM ordering.outbox WHERE position = 1").await;
    assert_eq!(housekeeping.tidy().await.days.dead_letters_deleted, 1);
}
