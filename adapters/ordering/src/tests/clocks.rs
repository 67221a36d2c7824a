//! Clocks that jump, and steps of housekeeping that fail: nothing young is lost, and what can be done
//! is done.

use std::time::Duration;

use adapter_outbox::PgOutboxDeadLetters;
use adapter_outbox::days::DaysTidied;
use application::dead_letters::DeadLetters;
use application::relay::{Claim, Outbox, Verdict};
use domain::EventId;
use sqlx::AssertSqlSafe;

use super::{World, two_orders_of_one_lane};
use crate::{Housekeeping, Keep, Tidied};

const DAY: Duration = Duration::from_hours(24);
const KEEP: Keep = Keep { days_ahead: 7, events: DAY, answers: DAY };

async fn run(world: &World, statement: &str) {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(world.database.pool()).await.unwrap();
}

async fn holds(world: &World, condition: &'static str) -> bool {
    sqlx::query_scalar(condition).fetch_one(world.database.pool()).await.unwrap()
}

/// A world with one old day whose event is published, and 30 answers, the oldest 30 hours old.
async fn old_world() -> (World, Housekeeping) {
    let world = World::new().await;
    let (order, _) = two_orders_of_one_lane();
    world.save(&order).await;
    world.relay_one().await;
    world.move_all_days_back(3).await;
    let answers = "INSERT INTO ordering.causes (kind, key, answer, answered_at)
                   SELECT 'request', n::text, '{}', now() - n * interval '1 hour'
                   FROM generate_series(1, 30) AS n";
    run(&world, answers).await;
    let house = Housekeeping::new(&world.database, KEEP);
    (world, house)
}

#[tokio::test]
async fn a_clock_that_jumps_deletes_nothing_until_a_day_of_rounds_has_confirmed_it() {
    for jump in ["-10 days", "10 days"] {
        let (world, house) = old_world().await;
        // What matters is how far the clock is from what it said last.
        let jump = format!(
            "UPDATE ordering.housekeeping_clock SET believed_at = now() - interval '{jump}'"
        );
        run(&world, &jump).await;
        let doubted = Tidied { clock_doubted: true, ..Tidied::default() };
        for _ in 1..24 {
            assert_eq!(house.tidy().await, doubted);
            let an_hour_later = "UPDATE ordering.housekeeping_clock
                                 SET doubted_at = doubted_at - interval '1 hour'";
            run(&world, an_hour_later).await;
        }
        let done = Tidied {
            days: DaysTidied { dropped: 1, ..DaysTidied::default() },
            answers_forgotten: 7,
            ..Tidied::default()
        };
        assert_eq!(house.tidy().await, done);
    }
}

#[tokio::test]
async fn a_clock_that_is_set_right_is_believed_at_once() {
    let (world, house) = old_world().await;
    run(&world, "UPDATE ordering.housekeeping_clock SET believed_at = now() - interval '10 days'")
        .await;
    assert!(house.tidy().await.clock_doubted);
    run(&world, "UPDATE ordering.housekeeping_clock SET believed_at = now() - interval '1 hour'")
        .await;
    let done = Tidied {
        days: DaysTidied { dropped: 1, ..DaysTidied::default() },
        answers_forgotten: 7,
        ..Tidied::default()
    };
    assert_eq!(house.tidy().await, done);
    assert!(holds(&world, "SELECT doubted_at IS NULL FROM ordering.housekeeping_clock").await);
}

#[tokio::test]
async fn an_answer_given_while_the_clock_is_behind_does_not_look_old_afterwards() {
    let world = World::new().await;
    run(&world, "UPDATE ordering.housekeeping_clock SET believed_at = now() + interval '10 days'")
        .await;
    run(&world, "INSERT INTO ordering.causes (kind, key, answer) VALUES ('request', 'k', '{}')")
        .await;
    let dated = "SELECT answered_at = believed_at
                 FROM ordering.causes, ordering.housekeeping_clock";
    assert!(holds(&world, dated).await);
}

#[tokio::test]
async fn an_answer_given_while_the_clock_is_ahead_is_kept_no_longer_than_others() {
    let (world, house) = old_world().await;
    run(
        &world,
        "UPDATE ordering.causes SET answered_at = now() + interval '10 years'
                 WHERE key = '1'",
    )
    .await;
    assert_eq!(house.tidy().await.answers_forgotten, 7);
    assert!(holds(&world, "SELECT max(answered_at) <= now() FROM ordering.causes").await);
}

#[tokio::test]
async fn a_step_that_fails_does_not_stop_the_others() {
    let (world, house) = old_world().await;
    run(&world, "ALTER FUNCTION ordering.drop_outbox_day RENAME TO gone").await;
    let done = Tidied { answers_forgotten: 7, failed: 1, ..Tidied::default() };
    assert_eq!(house.tidy().await, done);
    run(&world, "ALTER FUNCTION ordering.gone RENAME TO drop_outbox_day").await;
    assert_eq!(
        house.tidy().await,
        Tidied { days: DaysTidied { dropped: 1, ..DaysTidied::default() }, ..Tidied::default() }
    );
}

#[tokio::test]
async fn without_a_clock_days_are_created_and_nothing_is_deleted() {
    let (world, house) = old_world().await;
    run(&world, "ALTER TABLE ordering.housekeeping_clock RENAME TO gone").await;
    run(&world, "SELECT ordering.drop_outbox_day((now() AT TIME ZONE 'UTC')::date + 7)").await;
    let done = Tidied {
        days: DaysTidied { created: 1, ..DaysTidied::default() },
        failed: 1,
        ..Tidied::default()
    };
    assert_eq!(house.tidy().await, done);
}

#[tokio::test]
async fn a_clock_that_was_ahead_postpones_no_retry_beyond_the_longest_wait() {
    let world = World::new().await;
    let (order, _) = two_orders_of_one_lane();
    world.save(&order).await;
    let failed = [Verdict::Failed("no".to_owned())];
    world.claim().await.settle(&failed).await.unwrap();
    world.cancel(&order).await;
    for (wait, events) in [("5 minutes", 0), ("7 minutes", 2), ("10 years", 2)] {
        let noted =
            format!("UPDATE ordering.outbox_stragglers SET retry_at = now() + interval '{wait}'");
        run(&world, &noted).await;
        let claim = world.outbox.claim(10).await.unwrap();
        assert_eq!(claim.map_or(0, |claim| claim.records().len()), events, "{wait}");
    }
}

#[tokio::test]
async fn a_lane_that_was_settled_while_the_clock_was_ahead_does_not_come_last() {
    let world = World::new().await;
    run(&world, "UPDATE ordering.outbox_lanes SET settled_at = now() - lane * interval '1 second'")
        .await;
    let (order, _) = two_orders_of_one_lane();
    let lane = order.events.lane().get();
    world.save(&order).await;
    let ahead = format!(
        "UPDATE ordering.outbox_lanes SET settled_at = now() + interval '1 year' WHERE lane = {lane}"
    );
    run(&world, &ahead).await;
    for _ in 0..64 {
        world.place_through_the_port().await;
    }
    // One lane at a time, as when there is a backlog.
    let claim = world.outbox.claim(1).await.unwrap().unwrap();
    assert_eq!(claim.records()[0].lane, lane);
}

#[tokio::test]
async fn a_discarded_dead_letter_goes_after_its_event() {
    let world = World::new().await;
    let house = Housekeeping::new(&world.database, KEEP);
    let (first, second) = two_orders_of_one_lane();
    world.save(&first).await;
    world.save(&second).await;
    let refused = || Verdict::Refused("too large".to_owned());
    world.outbox.claim(10).await.unwrap().unwrap().settle(&[refused(), refused()]).await.unwrap();
    let letters = PgOutboxDeadLetters::new(&world.database);
    let events = [&first, &second].map(|save| EventId::new(save.events.events[0].id));
    assert_eq!(letters.discard(&events).await.unwrap().len(), 2);
    run(&world, "UPDATE ordering.outbox_dead_letters SET discarded_at = now() - interval '2 days'")
        .await;
    assert_eq!(house.tidy().await.days.letters_deleted, 0, "their events are there");
    run(&world, "DELETE FROM ordering.outbox WHERE position = 1").await;
    assert_eq!(house.tidy().await.days.letters_deleted, 1);
}
