//! Value objects: what is taken is within bounds, what is out of bounds is refused, and what was
//! printed is read again.

use std::collections::HashSet;
use std::fmt::{Debug, Display};
use std::str::FromStr;

use domain::ordering::{
    CancelReason, CustomerName, ItemsError, OrderItems, ProductId, Quantity, TextError,
};
use domain::{EventId, OrderId, OrderVersion, Timestamp};
use proptest::prelude::*;

use crate::generators as arbitrary;

fn assert_read_again<T>(value: &T)
where
    T: Display + FromStr + PartialEq + Debug,
    T::Err: Debug,
{
    assert_eq!(&value.to_string().parse::<T>().unwrap(), value);
}

proptest! {
    #[test]
    fn what_was_printed_is_read_again(
        order_id in arbitrary::order_id(),
        event_id in arbitrary::event_id(),
        version in arbitrary::version(),
        timestamp in arbitrary::timestamp(),
        product_id in arbitrary::product_id(),
        quantity in arbitrary::quantity(),
        customer_name in arbitrary::customer_name(),
        cancel_reason in arbitrary::cancel_reason(),
    ) {
        assert_read_again(&order_id);
        assert_read_again(&event_id);
        assert_read_again(&version);
        assert_read_again(&timestamp);
        assert_read_again(&product_id);
        assert_read_again(&quantity);
        assert_read_again(&customer_name);
        assert_read_again(&cancel_reason);
    }

    #[test]
    fn any_text_is_read_or_refused_and_what_is_read_prints_the_same_again(
        text in arbitrary::text(),
    ) {
        fn check<T: Display + FromStr + PartialEq + Debug>(text: &str)
        where
            T::Err: Debug,
        {
            if let Ok(value) = text.parse::<T>() {
                assert_read_again(&value);
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
    }

    #[test]
    fn a_text_is_taken_exactly_when_it_is_readable_and_fits(text in arbitrary::text()) {
        let trimmed = text.trim();
        let has = trimmed.chars().count();
        let expected = |most: usize| match has {
            0 => Err(TextError::Empty),
            has if has > most => Err(TextError::TooLong { most, has }),
            _ if trimmed.chars().any(char::is_control) => Err(TextError::ControlCharacter),
            _ => Ok(trimmed.to_owned()),
        };
        let name = text.parse::<CustomerName>().map(|name| name.as_str().to_owned());
        prop_assert_eq!(name, expected(200));
        let reason = text.parse::<CancelReason>().map(|reason| reason.as_str().to_owned());
        prop_assert_eq!(reason, expected(500));
    }

    #[test]
    fn a_number_is_taken_exactly_when_it_is_within_bounds(number in arbitrary::number()) {
        let quantity = Quantity::try_from(number).ok().map(|taken| i64::from(taken.get()));
        prop_assert_eq!(quantity, (1..=999).contains(&number).then_some(number));
        let product = ProductId::try_from(number).ok().map(ProductId::get);
        prop_assert_eq!(product, (number >= 1).then_some(number));
        let version = OrderVersion::try_from(number).ok().map(OrderVersion::get);
        prop_assert_eq!(version, (number >= 1).then_some(number));
    }

    #[test]
    fn items_are_taken_exactly_when_they_are_1_to_100_of_different_products(
        items in prop::collection::vec(arbitrary::item(), 0..=110),
    ) {
        let mut seen = HashSet::new();
        let repeated = items.iter().position(|item| !seen.insert(item.product_id));
        match OrderItems::try_from(items.clone()) {
            Ok(taken) => {
                prop_assert!((1..=100).contains(&items.len()) && repeated.is_none());
                prop_assert_eq!(taken.as_slice(), &items);
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
    fn a_moment_is_the_same_after_it_was_stored(micros in any::<i64>()) {
        if let Ok(moment) = Timestamp::from_micros(micros) {
            prop_assert_eq!(moment.as_micros(), micros);
            prop_assert_eq!(Timestamp::from(moment.get()), moment);
        }
    }
}

#[test]
fn the_longest_name_counts_characters_not_bytes() {
    assert!("薬".repeat(200).parse::<CustomerName>().is_ok());
    assert_eq!(
        "薬".repeat(201).parse::<CustomerName>(),
        Err(TextError::TooLong { most: 200, has: 201 })
    );
}

#[test]
fn a_moment_lies_in_the_years_0_to_9999() {
    for inside in ["0000-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z"] {
        let moment: Timestamp = inside.parse().unwrap();
        assert_eq!(moment.to_string(), inside);
        assert_eq!(Timestamp::from_micros(moment.as_micros()), Ok(moment));
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
fn what_is_finer_than_a_microsecond_is_cut_off_and_a_leap_second_is_the_next() {
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
