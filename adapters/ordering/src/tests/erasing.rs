//! What is left in the tables of ordering after the data of a customer were erased.

use application::ordering::{
    Cause, CustomerOrders as _, ErasedCustomer, Orders as _, erase_customer,
};
use application::testing::{OrderStep, sample};
use domain::ordering::{
    CancelReason, NewOrder, Order, PharmacyNews, Rejection, RejectionCode, StatusName,
};
use domain::{CustomerId, REDACTED_TEXT};
use runtime::clock;
use sqlx::AssertSqlSafe;

use super::Fixture;

/// What occurs in each text of a person, and nowhere else.
const MARK: &str = "Zoë";

fn customer() -> CustomerId {
    sample::customer_id(1)
}

fn request(key: &str) -> Cause {
    sample::request(key, "it")
}

/// An order of the customer, with texts in each place where a person can write one.
fn order_with_texts(n: u32) -> Order {
    let new = NewOrder {
        id: clock::new_order_id(),
        customer_id: Some(customer()),
        customer_name: MARK.parse().unwrap(),
        note: Some(format!("for {MARK},\nplease").parse().unwrap()),
        ..sample::new_order(n)
    };
    Order::place(new, clock::event_stamp())
}

/// Saves orders that were cancelled, rejected, and only placed, each step with an answer.
async fn save_orders(fixture: &Fixture) {
    for (n, status) in
        [StatusName::Cancelled, StatusName::Rejected, StatusName::Created].into_iter().enumerate()
    {
        let mut order = order_with_texts(1);
        fixture.orders.save(order.clone(), request(&format!("place-{n}"))).await.unwrap();
        for (step, number) in OrderStep::to(status).iter().zip(1..) {
            order = order.saved();
            let outcome = match step {
                OrderStep::RequestCancellation => {
                    let reason: CancelReason = format!("{MARK} is well again").parse().unwrap();
                    order.request_cancellation(reason, clock::event_stamp()).unwrap()
                }
                OrderStep::Follow(PharmacyNews::Rejected(_)) => {
                    let text = format!("{MARK} has enough").parse().unwrap();
                    let rejection = Rejection { code: RejectionCode::Other, text };
                    order.follow(PharmacyNews::Rejected(rejection), clock::event_stamp())
                }
                OrderStep::Follow(news) => order.follow(news.clone(), clock::event_stamp()),
                OrderStep::Redact => unreachable!("no status needs a redaction"),
            };
            assert!(outcome.is_applied());
            let cause = match number {
                1 => request(&format!("next-{n}")),
                _ => Cause::Event(clock::event_stamp().event_id),
            };
            fixture.orders.save(order.clone(), cause).await.unwrap();
        }
    }
}

/// The tables of ordering in which a row has the mark, in the text of the row.
async fn tables_with_the_mark(fixture: &Fixture) -> Vec<String> {
    let pool = fixture.database.pool();
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT relname::text FROM pg_class
         WHERE relnamespace = 'ordering'::regnamespace AND relkind = 'r' ORDER BY 1",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    assert!(tables.iter().any(|table| table == "orders"), "{tables:?}");
    let mut found = Vec::new();
    for table in tables {
        // A binary value is shown in hexadecimal digits.
        let query = format!(
            "SELECT count(*) FROM ordering.{table} AS it
             WHERE to_jsonb(it)::text LIKE '%' || $1 || '%'
                OR to_jsonb(it)::text LIKE '%' || encode(convert_to($1, 'UTF8'), 'hex') || '%'"
        );
        let rows: i64 =
            sqlx::query_scalar(AssertSqlSafe(query)).bind(MARK).fetch_one(pool).await.unwrap();
        if rows > 0 {
            found.push(table);
        }
    }
    found
}

#[tokio::test]
async fn only_the_outbox_keeps_texts_of_people_after_an_erasure() {
    let fixture = Fixture::new().await;
    save_orders(&fixture).await;
    // The answers of a program of the version before, which does not know customers.
    let older = "UPDATE ordering.causes SET answer = answer - 'customerId' WHERE kind = 'event'";
    sqlx::query(older).execute(fixture.database.pool()).await.unwrap();
    let before = tables_with_the_mark(&fixture).await;
    for table in ["causes", "orders"] {
        assert!(before.iter().any(|it| it == table), "{table} of {before:?}");
    }
    let erased = erase_customer(&fixture.orders, &customer(), clock::event_stamp).await.unwrap();
    assert_eq!(erased, ErasedCustomer { redacted: 3, redacted_before: 0, answers: 6 });

    let after = tables_with_the_mark(&fixture).await;
    assert!(!after.is_empty() && after.iter().all(|it| it.starts_with("outbox_")), "{after:?}");
    let names = "SELECT DISTINCT customer_name FROM ordering.orders";
    let names: Vec<String> =
        sqlx::query_scalar(names).fetch_all(fixture.database.pool()).await.unwrap();
    assert_eq!(names, [REDACTED_TEXT]);
}

#[tokio::test]
async fn an_answer_that_is_stored_just_before_an_order_is_redacted_is_redacted() {
    let fixture = Fixture::new().await;
    let order = order_with_texts(1);
    fixture.orders.save(order.clone(), Cause::Unkeyed).await.unwrap();
    let read = order.saved();
    let mut redacted = read.clone();
    assert!(redacted.redact(clock::event_stamp()).is_applied());
    // A request that changes nothing stores an answer, but no new version of the order.
    fixture.orders.save(read.clone(), request("early")).await.unwrap();
    fixture.orders.save(redacted, Cause::Unkeyed).await.unwrap();
    let late = fixture.orders.save(read, request("late")).await;
    assert!(late.is_err(), "{late:?}");

    assert_eq!(fixture.orders.redact_answers(&customer()).await.unwrap(), 1);
    let after = tables_with_the_mark(&fixture).await;
    assert!(after.iter().all(|it| it.starts_with("outbox_")), "{after:?}");
}

#[tokio::test]
async fn answers_are_redacted_among_thousands() {
    let fixture = Fixture::new().await;
    for n in 1..=3 {
        let order = order_with_texts(n);
        fixture.orders.save(order, request(&format!("{n}000"))).await.unwrap();
    }
    let others = "INSERT INTO ordering.causes (kind, key, answer)
                  SELECT kind, lpad(number::text, 4, '0') || '-', jsonb_build_object('id', gen_random_uuid())
                  FROM generate_series(1, 3500) AS number, (VALUES ('event'), ('request')) AS kinds (kind)";
    sqlx::query(others).execute(fixture.database.pool()).await.unwrap();
    let erased = erase_customer(&fixture.orders, &customer(), clock::event_stamp).await.unwrap();
    assert_eq!(erased, ErasedCustomer { redacted: 3, redacted_before: 0, answers: 3 });
}

#[tokio::test]
async fn the_tables_undo_a_change_of_a_name_or_a_note_that_is_not_a_redaction() {
    let fixture = Fixture::new().await;
    fixture.orders.save(order_with_texts(1), Cause::Unkeyed).await.unwrap();
    let pool = fixture.database.pool();
    let change = "UPDATE ordering.orders SET customer_name = 'Eve', note = 'x', items = '[]'";
    let read = "SELECT customer_name, note, items::text FROM ordering.orders";
    let before: (String, Option<String>, String) =
        sqlx::query_as(read).fetch_one(pool).await.unwrap();
    sqlx::query(change).execute(pool).await.unwrap();
    let after: (String, Option<String>, String) =
        sqlx::query_as(read).fetch_one(pool).await.unwrap();
    assert_eq!(after, before);
}
