//! Property tests of value objects: valid input is accepted, invalid input is refused, and parsing
//! the printed form gives the same value.

use std::collections::HashSet;
use std::fmt::{Debug, Display};
use std::str::FromStr;

use domain::ordering::{
    CancelReason, Code, CodeDisplay, CodeSystem, CodeSystemError, CustomerName, ItemsError,
    OrderItems, OrderNote, ProductId, Quantity,
};
use domain::{EventId, OrderId, OrderVersion, TextError, Timestamp};
use proptest::prelude::*;

use crate::generators as arbitrary;

fn assert_round_trip<T>(value: &T)
where
    T: Display + FromStr + PartialEq + Debug,
    T::Err: Debug,
{
    assert_eq!(&value.to_string().parse::<T>().unwrap(), value);
}

proptest! {
    #[test]
    fn parsing_the_printed_form_gives_the_same_value(
        order_id in arbitrary::order_id(),
        event_id in arbitrary::event_id(),
        version in arbitrary::version(),
        timestamp in arbitrary::timestamp(),
        product_id in arbitrary::product_id(),
        quantity in arbitrary::quantity(),
        customer_name in arbitrary::customer_name(),
        cancel_reason in arbitrary::cancel_reason(),
        code_system in arbitrary::code_system(),
        code in arbitrary::code(),
        display in arbitrary::code_display(),
        note in arbitrary::order_note(),
    ) {
        assert_round_trip(&order_id);
        assert_round_trip(&event_id);
        assert_round_trip(&version);
        assert_round_trip(&timestamp);
        assert_round_trip(&product_id);
        assert_round_trip(&quantity);
        assert_round_trip(&customer_name);
        assert_round_trip(&cancel_reason);
        assert_round_trip(&code_system);
        assert_round_trip(&code);
        assert_round_trip(&display);
        assert_round_trip(&note);
    }

    #[test]
    fn any_text_is_refused_or_parsed_to_a_value_that_round_trips(
        text in prop_oneof![arbitrary::text(), arbitrary::uri(), arbitrary::symbol()],
    ) {
        fn check<T: Display + FromStr + PartialEq + Debug>(text: &str)
        where
            T::Err: Debug,
        {
            if let Ok(value) = text.parse::<T>() {
                assert_round_trip(&value);
            }
        }
        check::<OrderId>(&text);
        check::<EventId>(&text);
        check::<OrderVersion>(&text);
        check::<Timestamp>(&text);
        check::<ProductId>(&text);
        check::<Quantity>(&text);
        check::<CustomerName>(&text);
        check::<CancelReason>(&text);
        check::<CodeSystem>(&text);
        check::<Code>(&text);
        check::<CodeDisplay>(&text);
        check::<OrderNote>(&text);
    }

    #[test]
    fn an_accepted_code_system_has_a_scheme_and_a_non_empty_rest(
        text in prop_oneof![arbitrary::uri(), arbitrary::text()],
    ) {
        let has = text.chars().count();
        match text.parse::<CodeSystem>() {
            Ok(system) => {
                prop_assert_eq!(system.as_str(), &text);
                prop_assert!((1..=200).contains(&has) && text.chars().all(|c| c.is_ascii_graphic()));
                let colon = text.find(':').unwrap();
                prop_assert!(text.starts_with(|first: char| first.is_ascii_alphabetic()));
                prop_assert!(colon + 1 < text.len());
            }
            Err(CodeSystemError::Text(TextError::Empty)) => prop_assert_eq!(has, 0),
            Err(CodeSystemError::Text(error)) => {
                prop_assert_eq!(error, TextError::TooLong { most: 200, has });
                prop_assert!(has > 200);
            }
            Err(CodeSystemError::NotAbsoluteUri) => prop_assert!((1..=200).contains(&has)),
        }
    }

    #[test]
    fn a_number_is_accepted_exactly_when_it_is_within_bounds(number in arbitrary::number()) {
        let quantity = Quantity::try_from(number).ok().map(|quantity| i64::from(quantity.get()));
        prop_assert_eq!(quantity, (1..=999).contains(&number).then_some(number));
        let product = ProductId::try_from(number).ok().map(ProductId::get);
        prop_assert_eq!(product, (number >= 1).then_some(number));
        let version = OrderVersion::try_from(number).ok().map(OrderVersion::get);
        prop_assert_eq!(version, (number >= 1).then_some(number));
    }

    #[test]
    fn items_are_accepted_exactly_when_they_are_1_to_100_of_different_products(
        items in prop::collection::vec(arbitrary::item(), 0..=110),
    ) {
        let mut seen = HashSet::new();
        let repeated = items.iter().position(|item| !seen.insert(item.product_id));
        match OrderItems::try_from(items.clone()) {
            Ok(accepted) => {
                prop_assert!((1..=100).contains(&items.len()) && repeated.is_none());
                prop_assert_eq!(accepted.as_slice(), &items);
            }
            Err(ItemsError::None) => prop_assert!(items.is_empty()),
            Err(ItemsError::TooMany { has }) => {
                prop_assert!(has > 100);
                prop_assert_eq!(has, items.len());
            }
            Err(ItemsError::Repeated { index, product_id }) => {
                prop_assert_eq!(Some(index), repeated);
                prop_assert_eq!(product_id, items[index].product_id);
            }
        }
    }

    #[test]
    fn a_timestamp_is_the_same_after_it_was_stored(micros in any::<i64>()) {
        if let Ok(timestamp) = Timestamp::from_micros(micros) {
            prop_assert_eq!(timestamp.as_micros(), micros);
            prop_assert_eq!(Timestamp::from(timestamp.get()), timestamp);
        }
    }
}

#[test]
fn an_id_is_a_uuid_with_hyphens_in_either_case() {
    let id = "01890a5d-ac96-774b-bcce-b302099a8057";
    for accepted in [id, &id.to_uppercase()] {
        assert_eq!(accepted.parse::<OrderId>().unwrap().to_string(), id);
        assert_eq!(accepted.parse::<EventId>().unwrap().to_string(), id);
    }
    for refused in [&id.replace('-', ""), &format!("{{{id}}}"), &format!("urn:uuid:{id}"), ""] {
        assert!(refused.parse::<OrderId>().is_err(), "{refused}");
        assert!(refused.parse::<EventId>().is_err(), "{refused}");
    }
}

#[test]
fn a_code_system_is_an_absolute_uri() {
    for accepted in [
        "http://snomed.info/sct",
        "http://www.nlm.nih.gov/research/umls/rxnorm",
        "urn:oid:2.16.840.1.113883.6.96",
        "urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
        "HTTP://fhir.de/CodeSystem/ifa/pzn?v=1#a%20b",
        "x-own+1.0:[",
    ] {
        assert_eq!(accepted.parse::<CodeSystem>().unwrap().as_str(), accepted);
    }
    for refused in [
        "snomed",
        "/sct",
        "//snomed.info/sct",
        "http:",
        ":x",
        "1http://a",
        "ht tp://a",
        "a_b:c",
        " http://a",
        "http://a ",
        "http://a b",
        "http://a\n",
        "http://ä",
        "http://a\u{0}",
        "http://<a>",
        "http://a|1",
        "\u{2003}",
    ] {
        let answer = refused.parse::<CodeSystem>();
        assert_eq!(answer, Err(CodeSystemError::NotAbsoluteUri), "{refused:?}");
    }
}

#[test]
fn a_timestamp_is_in_the_years_0_to_9999() {
    for inside in ["0000-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z"] {
        let timestamp: Timestamp = inside.parse().unwrap();
        assert_eq!(timestamp.to_string(), inside);
        assert_eq!(Timestamp::from_micros(timestamp.as_micros()), Ok(timestamp));
    }
    let earliest: Timestamp = "0000-01-01T00:00:00Z".parse().unwrap();
    let latest: Timestamp = "9999-12-31T23:59:59.999999Z".parse().unwrap();
    assert!(Timestamp::from_micros(earliest.as_micros() - 1).is_err());
    assert!(Timestamp::from_micros(latest.as_micros() + 1).is_err());
    for outside in ["0000-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "tomorrow", ""] {
        assert!(outside.parse::<Timestamp>().is_err(), "{outside}");
    }
    assert_eq!(Timestamp::from(chrono::DateTime::<chrono::Utc>::MIN_UTC), earliest);
    assert_eq!(Timestamp::from(chrono::DateTime::<chrono::Utc>::MAX_UTC), latest);
}

#[test]
fn times_are_truncated_to_microseconds_and_a_leap_second_becomes_the_next_second() {
    let read = |text: &str| text.parse::<Timestamp>().unwrap().to_string();
    assert_eq!(read("2026-01-31T12:00:00.123456789Z"), "2026-01-31T12:00:00.123456Z");
    assert_eq!(read("1969-12-31T23:59:59.999999999Z"), "1969-12-31T23:59:59.999999Z");
    assert_eq!(read("2016-12-31T23:59:60.5Z"), "2017-01-01T00:00:00.500000Z");
    assert_eq!(read("2026-01-31T12:00:00+01:00"), "2026-01-31T11:00:00.000000Z");
}

#[test]
fn the_version_after_the_greatest_is_the_greatest() {
    let greatest = OrderVersion::try_from(i64::MAX).unwrap();
    assert_eq!(greatest.next(), greatest);
}
