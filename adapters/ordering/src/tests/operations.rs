//! Tests of housekeeping, replay, dead letters and the backlog of the outbox.

use std::time::Duration;

use adapter_outbox::days::DaysReport;
use adapter_outbox::{PgBacklog, PgOutboxDeadLetters, PgReplay};
use application::dead_letters::{DeadLetters, OutboxDeadLetters};
use application::relay::{Backlog, Claim, MeasureBacklog, Outbox, Replay, Verdict};
use domain::EventId;
use runtime::clock;

use super::{Fixture, eventually, open, two_orders_in_one_lane};
use crate::{Housekeeping, HousekeepingReport, Retention};

const KEEP: Retention = Retention {
    days_ahead: 7,
    events: Duration::from_hours(24),
    answers: Duration::from_hours(24),
    dead_letters: Duration::from_hours(24),
};

#[tokio::test]
async fn an_old_day_is_dropped_when_all_its_records_are_processed() {
    let fixture = Fixture::new().await;
    let housekeeping = Housekeeping::new(&fixture.database, KEEP);
    let (first, second) = two_orders_in_one_lane();
    fixture.save(&first).await;
    fixture.save(&second).await;
    fixture.move_all_days_back(3).await;

    let needed = HousekeepingReport {
        days: DaysReport { needed: 1, ..DaysReport::default() },
        ..HousekeepingReport::default()
    };
    assert_eq!(run_without_created_days(&housekeeping).await, needed, "two are pending");
    let verdicts = [Verdict::Failed("no".to_owned()), Verdict::Refused("never".to_owned())];
    fixture.claim().await.settle(&verdicts).await.unwrap();
    assert_eq!(run_without_created_days(&housekeeping).await, needed, "one is failed, one is dead");
    fixture.make_retries_due().await;
    fixture.relay_one().await;
    assert_eq!(run_without_created_days(&housekeeping).await, needed, "one is dead");
    let letters = PgOutboxDeadLetters::new(&fixture.database);
    let dead = EventId::new(second.events.events[0].id);
    assert_eq!(letters.discard(&[dead]).await.unwrap(), [dead]);
    let dropped = HousekeepingReport {
        days: DaysReport { dropped: 1, ..DaysReport::default() },
        ..HousekeepingReport::default()
    };
    assert_eq!(run_without_created_days(&housekeeping).await, dropped);
    assert!(fixture.statuses().await.is_empty());
    assert!(letters.find(dead).await.unwrap().is_none());
}

#[tokio::test]
async fn a_day_is_not_dropped_while_a_transaction_writes_into_it() {
    let fixture = Fixture::new().await;
    let housekeeping = Housekeeping::new(&fixture.database, KEEP);
    let (order, _) = two_orders_in_one_lane();
    let mut slow = fixture.database.pool().begin().await.unwrap();
    order.run(&mut slow).await.unwrap();
    sqlx::query(
        "CREATE TABLE ordering.outbox_20200101 PARTITION OF ordering.outbox
                 FOR VALUES FROM ('2020-01-01 00:00:00+00') TO ('2020-01-02 00:00:00+00')",
    )
    .execute(&mut *slow)
    .await
    .unwrap();
    slow.commit().await.unwrap();
    let mut slow = fixture.database.pool().begin().await.unwrap();
    sqlx::query(
        "INSERT INTO ordering.outbox
                 SELECT lane, nextval('ordering.outbox_lane_' || lane), event_id, order_id, 2,
                        event_type, schema_fingerprint, payload, headers, occurred_at,
                        '2020-01-01 12:00:00+00'
                 FROM ordering.outbox",
    )
    .execute(&mut *slow)
    .await
    .unwrap();
    assert_eq!(
        run_without_created_days(&housekeeping).await,
        HousekeepingReport {
            days: DaysReport { postponed: 1, ..DaysReport::default() },
            ..HousekeepingReport::default()
        }
    );
    slow.commit().await.unwrap();
    assert_eq!(
        run_without_created_days(&housekeeping).await,
        HousekeepingReport {
            days: DaysReport { needed: 1, ..DaysReport::default() },
            ..HousekeepingReport::default()
        }
    );
}

#[tokio::test]
async fn days_are_created_in_advance_and_a_missed_day_stays_in_the_default_partition() {
    let fixture = Fixture::new().await;
    let housekeeping = Housekeeping::new(&fixture.database, KEEP);
    let (first, second) = two_orders_in_one_lane();
    fixture.drop_all_days().await;
    fixture.save(&first).await;
    assert_eq!(housekeeping.tidy().await.days.created, 7, "all days except today");
    assert_eq!(housekeeping.tidy().await, HousekeepingReport::default());
    fixture.save(&second).await;
    assert_eq!(fixture.relay_one().await, [first.events.events[0].id, second.events.events[0].id]);

    sqlx::query(
        "UPDATE ordering.outbox_default SET recorded_at = now() - interval '2 days'
                 WHERE event_id = $1",
    )
    .bind(first.events.events[0].id)
    .execute(fixture.database.pool())
    .await
    .unwrap();
    assert_eq!(housekeeping.tidy().await.days.strays_deleted, 1);
    assert_eq!(fixture.statuses().await, ["processed"]);
}

#[tokio::test]
async fn concurrent_rounds_of_housekeeping_do_not_disturb_each_other() {
    let fixture = Fixture::new().await;
    let housekeeping = Housekeeping::new(&fixture.database, KEEP);
    fixture.drop_all_days().await;
    let (one, other) = tokio::join!(housekeeping.tidy(), housekeeping.tidy());
    assert!(one.days.created + other.days.created <= 8);
    housekeeping.tidy().await;
    assert_eq!(housekeeping.tidy().await, HousekeepingReport::default());
}

#[tokio::test]
async fn old_answers_are_deleted_and_recent_ones_are_kept() {
    let fixture = Fixture::new().await;
    let housekeeping = Housekeeping::new(&fixture.database, KEEP);
    sqlx::query(
        "INSERT INTO ordering.causes (kind, key, answer, answered_at)
                 SELECT 'request', n::text, '{}', now() - n * interval '1 hour'
                 FROM generate_series(1, 30) AS n",
    )
    .execute(fixture.database.pool())
    .await
    .unwrap();
    assert_eq!(housekeeping.tidy().await.answers_deleted, 7);
}

#[tokio::test]
async fn a_replay_makes_retained_events_due_again_but_not_dead_letters() {
    let fixture = Fixture::new().await;
    let (first, second) = two_orders_in_one_lane();
    fixture.save(&first).await;
    let since = clock::now();
    fixture.save(&second).await;
    let cancelled = fixture.cancel(&first).await;
    let verdicts =
        [Verdict::Published, Verdict::Refused("too large".to_owned()), Verdict::Published];
    fixture.claim().await.settle(&verdicts).await.unwrap();

    let replay = PgReplay::new(&fixture.database);
    assert_eq!(replay.rewind(None).await.unwrap(), 3);
    assert_eq!(fixture.relay_one().await, [first.events.events[0].id, cancelled]);
    assert_eq!(replay.rewind(Some(since)).await.unwrap(), 2);
    assert_eq!(fixture.relay_one().await, [cancelled]);
    assert_eq!(replay.rewind(Some(clock::now())).await.unwrap(), 0);
    assert!(fixture.outbox.claim(10).await.unwrap().is_none());
    assert_eq!(fixture.statuses().await, ["processed", "dead", "processed"]);
}

#[tokio::test]
async fn a_dead_letter_can_be_retried_or_discarded_once() {
    let fixture = Fixture::new().await;
    let (first, second) = two_orders_in_one_lane();
    fixture.save(&first).await;
    fixture.save(&second).await;
    let refused = || Verdict::Refused("too large".to_owned());
    fixture.claim().await.settle(&[refused(), refused()]).await.unwrap();

    let letters = PgOutboxDeadLetters::new(&fixture.database);
    let (retried, discarded) =
        (EventId::new(first.events.events[0].id), EventId::new(second.events.events[0].id));
    let waiting = open(&letters).await;
    assert_eq!(waiting.iter().map(|letter| letter.id).collect::<Vec<_>>(), [retried, discarded]);
    assert_eq!(waiting[0].reason, "too large");
    assert!(letters.make_due(retried).await.unwrap());
    assert!(!letters.make_due(retried).await.unwrap());
    assert_eq!(letters.discard(&[discarded]).await.unwrap(), [discarded]);
    assert_eq!(letters.discard(&[discarded]).await.unwrap(), []);
    assert!(!letters.make_due(discarded).await.unwrap());
    assert_eq!(fixture.relay_one().await, [retried.get()]);
    assert_eq!(fixture.statuses().await, ["processed", "dead"]);
}

#[tokio::test]
async fn the_record_of_a_retry_is_deleted_after_the_retention() {
    let fixture = Fixture::new().await;
    let housekeeping = Housekeeping::new(&fixture.database, KEEP);
    let letters = PgOutboxDeadLetters::new(&fixture.database);
    let (first, second) = two_orders_in_one_lane();
    fixture.save(&first).await;
    fixture.save(&second).await;
    let refused = || Verdict::Refused("too large".to_owned());
    fixture.claim().await.settle(&[refused(), refused()]).await.unwrap();
    let [old, recent] = [first, second].map(|save| EventId::new(save.events.events[0].id));
    assert!(letters.make_due(old).await.unwrap());
    assert!(letters.make_due(recent).await.unwrap());
    sqlx::query(
        "UPDATE ordering.outbox_retried_dead_letters SET retried_at = now() - interval '2 days'
         WHERE event_id = $1",
    )
    .bind(old.get())
    .execute(fixture.database.pool())
    .await
    .unwrap();
    assert_eq!(housekeeping.tidy().await.days.dead_letters_deleted, 1);
    assert!(letters.find(old).await.unwrap().is_none());
    assert!(letters.find(recent).await.unwrap().is_some());
    assert_eq!(fixture.statuses().await, ["pending", "pending"], "both stay due");
}

#[tokio::test]
async fn the_backlog_counts_unpublished_events_and_the_age_of_the_oldest() {
    let fixture = Fixture::new().await;
    let measure = async || PgBacklog::new(&fixture.database).measure().await.unwrap();
    assert_eq!(measure().await, Backlog::default());
    let (first, second) = two_orders_in_one_lane();
    fixture.save(&first).await;
    fixture.save(&second).await;
    eventually("some time passes", async || measure().await.oldest > Duration::ZERO).await;
    assert_eq!(measure().await.unprocessed, 2);
    let verdicts = [Verdict::Failed("no".to_owned()), Verdict::Refused("never".to_owned())];
    fixture.claim().await.settle(&verdicts).await.unwrap();
    fixture.cancel(&first).await;
    assert!(fixture.outbox.claim(10).await.unwrap().is_none());
    let backlog = measure().await;
    assert!(backlog.oldest > Duration::ZERO);
    assert_eq!(
        backlog,
        Backlog { unprocessed: 2, failed: 1, held: 1, dead: 1, oldest: backlog.oldest, late: 0 }
    );
}

async fn run_without_created_days(housekeeping: &Housekeeping) -> HousekeepingReport {
    let report = housekeeping.tidy().await;
    HousekeepingReport { days: DaysReport { created: 0, ..report.days }, ..report }
}
