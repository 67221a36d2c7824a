//! The command `erase`: erases the data of a customer in ordering, and with `OrderRedacted` in the pharmacy.

use adapter_ordering::PgOrders;
use adapter_postgres::Database;
use application::ordering::{ErasedCustomer, erase_customer};
use domain::CustomerId;
use runtime::{StartError, clock};

/// Redacts the orders of the customer and prints what was done. It can be repeated after an error.
pub(crate) async fn run(database: &Database, customer: &CustomerId) -> Result<bool, StartError> {
    let orders = PgOrders::new(database, adapter_avro::encode_event);
    let erased = erase_customer(&orders, customer, clock::event_stamp)
        .await
        .map_err(|error| StartError::other("the command failed; it can be repeated", error))?;
    println!("{}", report(customer, erased));
    Ok(true)
}

fn report(customer: &CustomerId, erased: ErasedCustomer) -> String {
    let ErasedCustomer { redacted, redacted_before, answers } = erased;
    let next = if redacted > 0 {
        "Running relays publish OrderRedacted for each of them; the pharmacy redacts an order when it \
         receives the event."
    } else {
        "Nothing is to be published."
    };
    format!(
        "customer {customer}: {redacted} orders redacted, {redacted_before} redacted before, \
         {answers} stored answers redacted\n{next}\nThe contacts are not erased by this command: \
         send DELETE /api/customers/{customer} to notification."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_says_what_was_done_and_what_is_left_to_do() {
        let customer = "c-1815".parse().unwrap();
        let erased = ErasedCustomer { redacted: 2, redacted_before: 1, answers: 3 };
        let text = report(&customer, erased);
        let done = "2 orders redacted, 1 redacted before, 3 stored answers redacted\n";
        assert!(text.starts_with(&format!("customer c-1815: {done}Running relays")), "{text}");
        assert!(text.ends_with("send DELETE /api/customers/c-1815 to notification."), "{text}");

        let text = report(&customer, ErasedCustomer { redacted: 0, ..erased });
        assert!(text.contains("\nNothing is to be published.\n"), "{text}");
    }
}
