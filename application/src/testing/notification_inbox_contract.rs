//! What the notification inbox must do over every store: the customer is told of each event once,
//! however often it arrives.

#![allow(missing_docs, reason = "the name of a rule is its sentence")]

use futures_util::future::join_all;

use super::sample::{cancelled, created, incoming, unreadable};
use super::{NotificationWorld, sample};
use crate::inbox::{Intake, receive};
use crate::notification::{ChannelName, Notification, NotificationViews, NotifyCustomer};
use crate::published::Incoming;

/// Makes a `#[test]` of each rule of [`notification_inbox_contract`](self): `(run, world)`.
#[macro_export]
macro_rules! notification_inbox_contract {
    ($run:path, $world:expr) => {
        $crate::contract_tests! { $run, $world, notification_inbox_contract:
            each_event_is_told_once_per_channel,
            an_event_twice_in_one_batch_is_told_once,
            an_event_in_two_batches_is_told_once,
            a_cancellation_before_the_creation_is_told_all_the_same,
            a_whole_replay_changes_nothing,
            an_unreadable_record_becomes_a_dead_letter_and_holds_nothing_up,
            the_same_batch_at_the_same_time_takes_effect_once,
        }
    };
}

pub async fn each_event_is_told_once_per_channel<W: NotificationWorld>(world: &W) {
    let intake = take_in(world, &[incoming(0, &created(1)), incoming(1, &cancelled(1, 2))]).await;
    assert_eq!(intake, Intake { applied: 2, ..Intake::default() });
    let told = told(world, 1).await;
    assert_eq!(told.len(), 2);
    assert_eq!(told[0].content.event_id, created(1).event_id);
    assert_eq!(told[1].content.event_id, cancelled(1, 2).event_id);
    assert!(told[1].content.message.contains(sample::reason().as_str()), "{told:?}");
}

pub async fn an_event_twice_in_one_batch_is_told_once<W: NotificationWorld>(world: &W) {
    let intake = take_in(world, &[incoming(0, &created(1)), incoming(1, &created(1))]).await;
    assert_eq!(intake, Intake { applied: 1, repeated: 1, ..Intake::default() });
    assert_eq!(told(world, 1).await.len(), 1);
}

pub async fn an_event_in_two_batches_is_told_once<W: NotificationWorld>(world: &W) {
    take_in(world, &[incoming(0, &created(1))]).await;
    let intake = take_in(world, &[incoming(1, &created(1)), incoming(2, &created(2))]).await;
    assert_eq!(intake, Intake { applied: 1, repeated: 1, ..Intake::default() });
    assert_eq!(told(world, 1).await.len(), 1);
    assert_eq!(told(world, 2).await.len(), 1);
}

pub async fn a_cancellation_before_the_creation_is_told_all_the_same<W: NotificationWorld>(
    world: &W,
) {
    take_in(world, &[incoming(0, &cancelled(1, 2))]).await;
    take_in(world, &[incoming(1, &created(1))]).await;
    assert_eq!(told(world, 1).await.len(), 2);
}

pub async fn a_whole_replay_changes_nothing<W: NotificationWorld>(world: &W) {
    let topic = [
        incoming(0, &created(1)),
        unreadable(1),
        incoming(2, &created(2)),
        incoming(3, &cancelled(1, 2)),
    ];
    for record in &topic {
        take_in(world, std::slice::from_ref(record)).await;
    }
    let before = (told(world, 1).await, told(world, 2).await, world.dead_letters().await);
    let intake = take_in(world, &topic).await;
    assert_eq!(intake, Intake { repeated: 3, dead: 1, ..Intake::default() });
    let after = (told(world, 1).await, told(world, 2).await, world.dead_letters().await);
    assert_eq!(after, before);
    assert_eq!((after.0.len(), after.1.len(), after.2.len()), (2, 1, 1));
}

pub async fn an_unreadable_record_becomes_a_dead_letter_and_holds_nothing_up<
    W: NotificationWorld,
>(
    world: &W,
) {
    let batch = [unreadable(0), incoming(1, &created(1))];
    let intake = take_in(world, &batch).await;
    assert_eq!(intake, Intake { applied: 1, dead: 1, ..Intake::default() });
    assert_eq!(told(world, 1).await.len(), 1);
    let dead = world.dead_letters().await;
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].record, batch[0].record);
}

pub async fn the_same_batch_at_the_same_time_takes_effect_once<W: NotificationWorld>(world: &W) {
    let batch: Vec<Incoming> = (1..=10_u32).map(|n| incoming(i64::from(n), &created(n))).collect();
    let intakes = join_all((0..4).map(|_| take_in(world, &batch))).await;
    assert_eq!(intakes.iter().map(|intake| intake.applied).sum::<u64>(), 10, "{intakes:?}");
    assert_eq!(intakes.iter().map(|intake| intake.repeated).sum::<u64>(), 30, "{intakes:?}");
    for n in 1..=10 {
        assert_eq!(told(world, n).await.len(), 1);
    }
}

async fn take_in<W: NotificationWorld>(world: &W, batch: &[Incoming]) -> Intake {
    let inbox =
        NotifyCustomer { notifications: world.notifications(), channels: vec![ChannelName::Log] };
    receive(&inbox, &batch.iter().cloned().collect()).await.expect("an intake")
}

async fn told<W: NotificationWorld>(world: &W, n: u32) -> Vec<Notification> {
    world.views().of_order(sample::order_id(n)).await.expect("an answer")
}
