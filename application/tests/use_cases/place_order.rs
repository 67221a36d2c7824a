use application::ordering::{
    Cause, Fingerprint, Orders, PlaceOrder, PlaceOrderError, Saved, place_order,
};
use application::testing::{InMemoryOrdering, sample};
use domain::ordering::{CodeDisplay, MedicationCoding, NewOrder, Order, OrderItem};

use crate::now;

fn place(
    store: &InMemoryOrdering,
    order: NewOrder,
    key: Option<&str>,
) -> Result<Saved, PlaceOrderError> {
    let number = u32::try_from(store.all_records().len()).unwrap() + 1;
    let command = PlaceOrder { order, key: key.map(sample::key) };
    now(place_order(store, command, sample::event_stamp(number, 1)))
}

/// The same request as `new_order(1)`. Its id is new, as for every request.
fn same_request_again() -> NewOrder {
    NewOrder { id: sample::order_id(2), ..sample::new_order(1) }
}

fn find(store: &InMemoryOrdering, n: u32) -> Option<Order> {
    now(store.find(sample::order_id(n))).unwrap()
}

#[test]
fn a_placed_order_is_stored_with_its_event() {
    let store = InMemoryOrdering::default();
    let placed = place(&store, sample::new_order(1), None).unwrap();

    let Saved::Stored(order) = placed else { panic!("{placed:?}") };
    assert_eq!(find(&store, 1), Some(order));
    let records = store.all_records();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].event_id, sample::event_id(1, 1));
}

#[test]
fn two_requests_without_a_key_place_two_orders() {
    let store = InMemoryOrdering::default();
    place(&store, sample::new_order(1), None).unwrap();
    let second = place(&store, same_request_again(), None).unwrap();
    assert!(matches!(second, Saved::Stored(_)));
    assert_eq!(store.all_records().len(), 2);
}

#[test]
fn a_repeat_with_the_same_key_gets_the_first_order() {
    let store = InMemoryOrdering::default();
    let first = place(&store, sample::new_order(1), Some("k")).unwrap();
    let again = place(&store, same_request_again(), Some("k")).unwrap();

    let (Saved::Stored(first), Saved::AnsweredBefore(again)) = (first, again) else { panic!() };
    assert_eq!(again, first);
    assert_eq!(find(&store, 2), None);
    assert_eq!(store.all_records().len(), 1);
}

#[test]
fn a_key_cannot_be_used_for_another_order() {
    let store = InMemoryOrdering::default();
    place(&store, sample::new_order(1), Some("k")).unwrap();

    let other_items = sample::new_order(2);
    let mut other_name = same_request_again();
    other_name.customer_name = "Somebody else".parse().unwrap();
    for order in [other_items, other_name] {
        let refused = place(&store, order, Some("k"));
        assert!(matches!(refused, Err(PlaceOrderError::KeyReused)), "{refused:?}");
    }
    assert_eq!(find(&store, 2), None);
    assert_eq!(store.all_records().len(), 1);
}

#[test]
fn items_in_another_sequence_are_another_request() {
    let store = InMemoryOrdering::default();
    place(&store, sample::new_order(1), Some("k")).unwrap();
    let mut reversed = same_request_again();
    let mut items = reversed.items.as_slice().to_vec();
    items.reverse();
    reversed.items = items.try_into().unwrap();
    let refused = place(&store, reversed, Some("k"));
    assert!(matches!(refused, Err(PlaceOrderError::KeyReused)), "{refused:?}");
}

/// Changes the first item of the order.
fn with_first_item(mut order: NewOrder, change: impl FnOnce(&mut OrderItem)) -> NewOrder {
    let mut items = order.items.as_slice().to_vec();
    change(&mut items[0]);
    order.items = items.try_into().unwrap();
    order
}

#[test]
fn requests_that_differ_in_an_optional_value_are_different_requests() {
    let coding = |display: Option<&str>| MedicationCoding {
        system: "http://snomed.info/sct".parse().unwrap(),
        code: "387517004".parse().unwrap(),
        display: display.map(|display| display.parse::<CodeDisplay>().unwrap()),
    };
    let medication = |medication: MedicationCoding| {
        with_first_item(sample::new_order(1), |item| item.medication = Some(medication))
    };
    let note = |name: &str, note: &str| NewOrder {
        customer_name: name.parse().unwrap(),
        note: Some(note.parse().unwrap()),
        ..sample::new_order(1)
    };
    let of_customer =
        |id: &str| NewOrder { customer_id: Some(id.parse().unwrap()), ..sample::new_order(1) };
    let other_system = MedicationCoding { system: "urn:a".parse().unwrap(), ..coding(None) };
    let other_code = MedicationCoding { code: "1".parse().unwrap(), ..coding(None) };
    let requests = [
        sample::new_order(1),
        medication(coding(None)),
        medication(coding(Some("Paracetamol"))),
        medication(coding(Some("Acetaminophen"))),
        medication(other_system),
        medication(other_code),
        note("Ada", "call"),
        note("Ada", "call me"),
        note("Ada", "call\nnote me"),
        note("Ada note", "call"),
        of_customer("c-1"),
        of_customer("c-2"),
    ];
    for (number, first) in requests.iter().enumerate() {
        for (other_number, other) in requests.iter().enumerate() {
            let store = InMemoryOrdering::default();
            place(&store, first.clone(), Some("k")).unwrap();
            let other = NewOrder { id: sample::order_id(2), ..other.clone() };
            let answer = place(&store, other, Some("k"));
            if number == other_number {
                assert!(matches!(answer, Ok(Saved::AnsweredBefore(_))), "{answer:?}");
            } else {
                assert!(matches!(answer, Err(PlaceOrderError::KeyReused)), "{answer:?}");
            }
        }
    }
}

#[test]
fn the_fingerprint_of_a_request_without_optional_values_never_changes() {
    let store = InMemoryOrdering::default();
    let plain = NewOrder { customer_name: "Ada".parse().unwrap(), ..sample::new_order(3) };
    let placed = place(&store, plain, Some("k")).unwrap();
    let Saved::Stored(order) = placed else { panic!("{placed:?}") };
    // The text from before notes and medications were added.
    let cause = Cause::Request(sample::key("k"), Fingerprint::of("place order\n1 x 7\nfor Ada"));
    assert_eq!(now(store.find_answer(&cause)).unwrap(), Some(order));
}

#[test]
fn an_id_that_already_exists_is_refused() {
    let store = InMemoryOrdering::default();
    place(&store, sample::new_order(1), None).unwrap();
    let refused = place(&store, sample::new_order(1), None);
    assert!(matches!(refused, Err(PlaceOrderError::IdTaken)), "{refused:?}");
}
