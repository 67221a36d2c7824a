use application::notification::EventType;
use domain::notification::LetterKind;
use reqwest::Client;
use runtime::StartError;
use serde_json::{Value, json};

use crate::endpoints::Endpoints;

/// The number of customers with an id.
const ADDRESSEES: u32 = 20;

/// The maximum number of their orders. The embedded mail server keeps 1,000 letters, and there are at
/// most six letters about an order.
const MAX_ORDERS: u32 = 100;

/// A customer with an id. The first one has no contact, so there are no letters to this customer. Of the
/// others, each fourth has declined the letter that an order is confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Addressee(pub(super) u32);

/// Which orders are placed by customers with an id.
#[derive(Debug, Clone, Copy)]
pub(super) struct Addressees {
    /// One order of this number.
    one_in: u32,
}

impl Addressee {
    /// The id of the customer.
    pub(super) fn id(self) -> String {
        format!("demo-customer-{}", self.0)
    }

    /// The address of the customer. RFC 2606 reserves the domain.
    pub(super) fn email(self) -> String {
        format!("{}@example.org", self.id())
    }

    /// Whether a letter tells the customer of such an event.
    pub(super) fn is_told_of(self, event: EventType) -> bool {
        match event.letter() {
            None => false,
            Some(LetterKind::Confirmed) => self.has_contact() && !self.declines_confirmed(),
            Some(_) => self.has_contact(),
        }
    }

    const fn has_contact(self) -> bool {
        self.0 > 0
    }

    const fn declines_confirmed(self) -> bool {
        self.0 % 4 == 1
    }

    fn contact(self) -> Value {
        let language = ["en", "de", "fr"][self.0 as usize % 3];
        let preferences = json!({"confirmed": !self.declines_confirmed()});
        json!({"email": self.email(), "language": language, "preferences": preferences})
    }
}

impl Addressees {
    /// Stores the contacts. `orders` is the number of orders to place.
    pub(super) async fn introduce(
        orders: u32,
        client: &Client,
        endpoints: &Endpoints,
    ) -> Result<Self, StartError> {
        for addressee in (0..ADDRESSEES).map(Addressee).filter(|one| one.has_contact()) {
            let url = format!("{}/api/customers/{}", endpoints.notification, addressee.id());
            let answer = client.put(url).json(&addressee.contact()).send().await;
            answer.and_then(reqwest::Response::error_for_status).map_err(|error| {
                StartError::other("cannot store the contact of a customer of the demo", error)
            })?;
        }
        Ok(Self { one_in: orders.div_ceil(MAX_ORDERS).max(2) })
    }

    /// The customer of order number `number`, if this customer has an id.
    pub(super) fn of_order(self, number: u32) -> Option<Addressee> {
        let of_addressees = number.is_multiple_of(self.one_in);
        of_addressees.then(|| Addressee(number / self.one_in % ADDRESSEES))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn about_half_of_few_orders_and_at_most_a_hundred_of_many_are_of_addressees() {
        let count = |orders: u32| {
            let addressees = Addressees { one_in: orders.div_ceil(MAX_ORDERS).max(2) };
            (0..orders).filter(|number| addressees.of_order(*number).is_some()).count()
        };
        assert_eq!([1, 50, 200, 201, 1000, 1_000_000].map(count), [1, 25, 100, 67, 100, 100]);
    }

    #[test]
    fn a_customer_is_told_only_what_is_wanted() {
        let told = |number: u32| {
            let is_told = |event: &EventType| Addressee(number).is_told_of(*event);
            EventType::ALL.into_iter().filter(is_told).collect::<Vec<_>>()
        };
        assert_eq!(told(0), []);
        assert_eq!(told(2).len(), 7);
        assert!(!told(2).contains(&EventType::CancellationRequested));
        assert_eq!(told(5).len(), 6);
        assert!(!told(5).contains(&EventType::Confirmed));
    }
}
