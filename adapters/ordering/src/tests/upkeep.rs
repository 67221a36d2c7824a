//! Housekeeping, replay, dead letters and the figures of the outbox.

use std::time::Duration;

use adapter_outbox::days::DaysTidied;
use adapter_outbox::{PgBacklog, PgOutboxDeadLetters, PgReplay};
use application::dead_letters::{DeadLetters, OutboxDeadLetters};
use application::relay::{Backlog, Claim, MeasureBacklog, Outbox, Replay, Verdict};
use domain::EventId;
use runtime::clock;

use super::{World, eventually, open, two_orders_of_one_lane};
use crate::{Housekeeping, Keep, Tidied};

const KEEP: Keep =
    Keep { days_ahead: 7, events: Duration::from_hours(24), answers: Duration::from_hours(24) };

#[tokio::test]
async fn a_day_is_dropped_when_it_is_old_and_all_its_records_are_processed() {
    let world = World::new().await;
    let house = Housekeeping::new(&world.database, KEEP);
    let (first, second) = two_orders_of_one_lane();
    world.save(&first).await;
    world.save(&second).await;
    world.move_all_days_back(3).await;

    let needed =
        Tidied { days: DaysTidied { needed: 1, ..DaysTidied::default() }, ..Tidied::default() };
    assert_eq!(tidied_days(&house).await, needed, "two are pending");
    let verdicts = [Verdict::Failed("no".to_owned()), Verdict::Refused("never".to_owned())];
    world.claim().await.settle(&verdicts).await.unwrap();
    assert_eq!(tidied_days(&house).await, needed, "one is failed, one is dead");
    world.end_all_waits().await;
    world.relay_one().await;
    assert_eq!(tidied_days(&house).await, needed, "one is dead");
    let letters = PgOutboxDeadLetters::new(&world.database);
    let dead = EventId::new(second.events.events[0].id);
    assert_eq!(letters.discard(&[dead]).await.unwrap(), [dead]);
    let dropped =
        Tidied { days: DaysTidied { dropped: 1, ..DaysTidied::default() }, ..Tidied::default() };
    assert_eq!(tidied_days(&house).await, dropped);
    assert!(world.statuses().await.is_empty());
    assert!(letters.find(dead).await.unwrap().is_none());
}

#[tokio::test]
async fn a_day_is_not_dropped_under_a_transaction_that_still_writes_into_it() {
    let world = World::new().await;
    let house = Housekeeping::new(&world.database, KEEP);
    let (order, _) = two_orders_of_one_lane();
    let mut slow = world.database.pool().begin().await.unwrap();
    order.run(&mut slow).await.unwrap();
    sqlx::query(
        "CREATE TABLE ordering.outbox_20200101 PARTITION OF ordering.outbox
                 FOR VALUES FROM ('2020-01-01 00:00:00+00') TO ('2020-01-02 00:00:00+00')",
    )
    .execute(&mut *slow)
    .await
    .unwrap();
    slow.commit().await.unwrap();
    let mut slow = world.database.pool().begin().await.unwrap();
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
        tidied_days(&house).await,
        Tidied { days: DaysTidied { postponed: 1, ..DaysTidied::default() }, ..Tidied::default() }
    );
    slow.commit().await.unwrap();
    assert_eq!(
        tidied_days(&house).await,
        Tidied { days: DaysTidied { needed: 1, ..DaysTidied::default() }, ..Tidied::default() }
    );
}

#[tokio::test]
async fn days_are_created_ahead_and_a_slept_over_day_stays_in_the_default_partition() {
    let world = World::new().await;
    let house = Housekeeping::new(&world.database, KEEP);
    let (first, second) = two_orders_of_one_lane();
    world.drop_all_days().await;
    world.save(&first).await;
    assert_eq!(house.tidy().await.days.created, 7, "all but today");
    assert_eq!(house.tidy().await, Tidied::default());
    world.save(&second).await;
    assert_eq!(world.relay_one().await, [first.events.events[0].id, second.events.events[0].id]);

    sqlx::query(
        "UPDATE ordering.outbox_default SET recorded_at = now() - interval '2 days'
                 WHERE event_id = $1",
    )
    .bind(first.events.events[0].id)
    .execute(world.database.pool())
    .await
    .unwrap();
    assert_eq!(house.tidy().await.days.strays_deleted, 1);
    assert_eq!(world.statuses().await, ["processed"]);
}

#[tokio::test]
async fn two_housekeepers_at_once_do_not_get_in_each_others_way() {
    let world = World::new().await;
    let house = Housekeeping::new(&world.database, KEEP);
    world.drop_all_days().await;
    let (one, other) = tokio::join!(house.tidy(), house.tidy());
    assert!(one.days.created + other.days.created <= 8);
    house.tidy().await;
    assert_eq!(house.tidy().await, Tidied::default());
}

#[tokio::test]
async fn old_answers_are_forgotten_and_young_ones_kept() {
    let world = World::new().await;
    let house = Housekeeping::new(&world.database, KEEP);
    sqlx::query(
        "INSERT INTO ordering.causes (kind, key, answer, answered_at)
                 SELECT 'request', n::text, '{}', now() - n * interval '1 hour'
                 FROM generate_series(1, 30) AS n",
    )
    .execute(world.database.pool())
    .await
    .unwrap();
    assert_eq!(house.tidy().await.answers_forgotten, 7);
}

#[tokio::test]
async fn a_replay_makes_the_retained_events_due_again_but_no_dead_letters() {
    let world = World::new().await;
    let (first, second) = two_orders_of_one_lane();
    world.save(&first).await;
    let since = clock::now();
    world.save(&second).await;
    let cancelled = world.cancel(&first).await;
    let verdicts =
        [Verdict::Published, Verdict::Refused("too large".to_owned()), Verdict::Published];
    world.claim().await.settle(&verdicts).await.unwrap();

    let replay = PgReplay::new(&world.database);
    assert_eq!(replay.rewind(None).await.unwrap(), 3);
    assert_eq!(world.relay_one().await, [first.events.events[0].id, cancelled]);
    assert_eq!(replay.rewind(Some(since)).await.unwrap(), 2);
    assert_eq!(world.relay_one().await, [cancelled]);
    assert_eq!(replay.rewind(Some(clock::now())).await.unwrap(), 0);
    assert!(world.outbox.claim(10).await.unwrap().is_none());
    assert_eq!(world.statuses().await, ["processed", "dead", "processed"]);
}

#[tokio::test]
async fn a_dead_letter_can_be_retried_or_discarded_once() {
    let world = World::new().await;
    let (first, second) = two_orders_of_one_lane();
    world.save(&first).await;
    world.save(&second).await;
    let refused = || Verdict::Refused("too large".to_owned());
    world.claim().await.settle(&[refused(), refused()]).await.unwrap();

    let letters = PgOutboxDeadLetters::new(&world.database);
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
    assert_eq!(world.relay_one().await, [retried.get()]);
    assert_eq!(world.statuses().await, ["processed", "dead"]);
}

#[tokio::test]
async fn a_retry_of_long_ago_is_forgotten_and_a_recent_one_is_kept() {
    let world = World::new().await;
    let house = Housekeeping::new(&world.database, KEEP);
    let letters = PgOutboxDeadLetters::new(&world.database);
    let (first, second) = two_orders_of_one_lane();
    world.save(&first).await;
    world.save(&second).await;
    let refused = || Verdict::Refused("too large".to_owned());
    world.claim().await.settle(&[refused(), refused()]).await.unwrap();
    let [old, recent] = [first, second].map(|save| EventId::new(save.events.events[0].id));
    assert!(letters.make_due(old).await.unwrap());
    assert!(letters.make_due(recent).await.unwrap());
    sqlx::query(
        "UPDATE ordering.outbox_retried_dead_letters SET retried_at = now() - interval '2 days'
         WHERE event_id = $1",
    )
    .bind(old.get())
    .execute(world.database.pool())
    .await
    .unwrap();
    assert_eq!(house.tidy().await.days.letters_deleted, 1);
    assert!(letters.find(old).await.unwrap().is_none());
    assert!(letters.find(recent).await.unwrap().is_some());
    assert_eq!(world.statuses().await, ["pending", "pending"], "both stay due");
}

#[tokio::test]
async fn the_backlog_tells_what_waits_and_for_how_long() {
    let world = World::new().await;
    let measure = async || PgBacklog::new(&world.database).measure().await.unwrap();
    assert_eq!(measure().await, Backlog::default());
    let (first, second) = two_orders_of_one_lane();
    world.save(&first).await;
    world.save(&second).await;
    eventually("some time passes", async || measure().await.oldest > Duration::ZERO).await;
    assert_eq!(measure().await.unprocessed, 2);
    let verdicts = [Verdict::Failed("no".to_owned()), Verdict::Refused("never".to_owned())];
    world.claim().await.settle(&verdicts).await.unwrap();
    world.cancel(&first).await;
    assert!(world.outbox.claim(10).await.unwrap().is_none());
    let backlog = measure().await;
    assert!(backlog.oldest > Duration::ZERO);
    assert_eq!(
        backlog,
        Backlog { unprocessed: 2, failed: 1, held: 1, dead: 1, oldest: backlog.oldest, late: 0 }
    );
}

async fn tidied_days(house: &Housekeeping) -> Tidied {
    let tidied = house.tidy().await;
    Tidied { days: DaysTidied { created: 0, ..tidied.days }, ..tidied }
}
