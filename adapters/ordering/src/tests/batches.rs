//! Tests of orders that are stored together.

use application::ordering::{Cause, Fingerprint, Orders, SaveError, Saved};
use domain::ordering::Order;
use runtime::clock;

use super::{Fixture, eventually, new_order};
use crate::batches::WRITERS;

/// What saving an order returns.
type Answer = Result<Saved, SaveError>;

fn request(key: &str) -> Cause {
    Cause::Request(key.parse().unwrap(), Fingerprint::of("the same"))
}

impl Fixture {
    /// Saves these orders while all writers are busy, so that they are stored in one batch.
    async fn save_together(&self, saves: Vec<(Order, Cause)>) -> Vec<Answer> {
        let mut lock = self.database.pool().begin().await.unwrap();
        sqlx::query("LOCK TABLE ordering.orders").execute(&mut *lock).await.unwrap();
        let save = |(order, cause)| {
            let orders = self.orders.clone();
            tokio::spawn(async move { orders.save(order, cause).await })
        };
        for writer in 1..=WRITERS {
            save((new_order(clock::new_order_id()), Cause::Unkeyed));
            self.wait_until_sessions_wait(writer).await;
        }
        let waiting: Vec<_> = saves.into_iter().map(save).collect();
        // On this runtime with one thread, each task runs now until it waits for its result.
        tokio::task::yield_now().await;
        lock.commit().await.unwrap();
        let mut answers = Vec::new();
        for one in waiting {
            answers.push(one.await.unwrap());
        }
        answers
    }

    async fn wait_until_sessions_wait(&self, count: usize) {
        let query = "SELECT count(*) FROM pg_stat_activity
                     WHERE datname = current_database() AND wait_event_type = 'Lock'";
        eventually("the writers wait", async || {
            let waiting: i64 =
                sqlx::query_scalar(query).fetch_one(self.database.pool()).await.unwrap();
            usize::try_from(waiting).unwrap() == count
        })
        .await;
    }

    async fn transactions(&self, orders: &[Order]) -> i64 {
        let ids: Vec<_> = orders.iter().map(|order| order.id().get()).collect();
        let query = "SELECT count(DISTINCT xmin::text) FROM ordering.orders WHERE id = ANY ($1)";
        sqlx::query_scalar(query).bind(ids).fetch_one(self.database.pool()).await.unwrap()
    }
}

#[tokio::test]
async fn orders_that_arrive_while_others_are_stored_share_a_transaction() {
    let fixture = Fixture::new().await;
    let orders: Vec<Order> = (0..20).map(|_| new_order(clock::new_order_id())).collect();
    let saves = orders.iter().map(|order| (order.clone(), Cause::Unkeyed)).collect();
    for (order, answer) in orders.iter().zip(fixture.save_together(saves).await) {
        assert!(matches!(answer, Ok(Saved::Stored(stored)) if stored == order.clone().saved()));
    }
    assert_eq!(fixture.transactions(&orders).await, 1);
    let mut events = 0;
    while events < orders.len() + WRITERS {
        events += fixture.relay_one().await.len();
    }
    assert_eq!(events, orders.len() + WRITERS);
}

#[tokio::test]
async fn an_order_that_cannot_be_stored_does_not_fail_the_others() {
    let fixture = Fixture::new().await;
    let taken = new_order(clock::new_order_id());
    fixture.orders.save(taken.clone(), Cause::Unkeyed).await.unwrap();
    let others = [(); 2].map(|()| new_order(clock::new_order_id()));
    let saves = vec![
        (others[0].clone(), request("a")),
        (taken, request("b")),
        (others[1].clone(), Cause::Unkeyed),
    ];
    let answers = fixture.save_together(saves).await;
    assert!(matches!(answers[0], Ok(Saved::Stored(_))), "{answers:?}");
    assert!(matches!(answers[1], Err(SaveError::VersionConflict)), "{answers:?}");
    assert!(matches!(answers[2], Ok(Saved::Stored(_))), "{answers:?}");
    assert!(fixture.orders.find_answer(&request("b")).await.unwrap().is_none());
}

#[tokio::test]
async fn requests_with_the_same_key_at_the_same_time_get_the_same_answer() {
    let fixture = Fixture::new().await;
    let orders: Vec<Order> = (0..3).map(|_| new_order(clock::new_order_id())).collect();
    let saves = orders.iter().map(|order| (order.clone(), request("k"))).collect();
    let answers = fixture.save_together(saves).await;
    let first = orders[0].clone().saved();
    assert!(matches!(&answers[0], Ok(Saved::Stored(order)) if *order == first), "{answers:?}");
    for repeat in &answers[1..] {
        assert!(
            matches!(repeat, Ok(Saved::AnsweredBefore(order)) if *order == first),
            "{repeat:?}"
        );
    }
    assert_eq!(fixture.statuses().await.len(), 1 + WRITERS);
}

#[tokio::test]
async fn an_order_is_stored_although_its_caller_has_gone() {
    let fixture = Fixture::new().await;
    let order = new_order(clock::new_order_id());
    let orders = fixture.orders.clone();
    let id = order.id();
    let save = tokio::spawn(async move { orders.save(order, Cause::Unkeyed).await });
    tokio::task::yield_now().await;
    save.abort();
    eventually("the order is stored", async || fixture.orders.find(id).await.unwrap().is_some())
        .await;
}
