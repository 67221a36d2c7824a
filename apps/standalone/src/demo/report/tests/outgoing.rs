//! What the demo reports of letters and of calls of the webhook.

use super::*;

#[test]
fn a_letter_that_is_missing_repeated_late_unwanted_or_misaddressed_is_a_finding() {
    let (first, last) = (event_id(CANCELLED, 1), event_id(CANCELLED, 3));
    assert_found(Check::Letters, "about versions [1] instead of [1, 3]", |results| {
        letters(results).remove(&last);
    });
    assert_found(Check::Letters, "about versions [1, 3, 3] instead of [1, 3]", |results| {
        let event = notification(CANCELLED, 3, "cancelled");
        deliver(letters(results), &event, &Addressee(2).email());
    });
    assert_found(Check::Letters, "about versions [3, 1] instead of [1, 3]", |results| {
        letters(results).get_mut(&first).unwrap()[0].number = 99;
    });
    assert_found(Check::Letters, "about versions [1, 2, 3, 4] instead of [1, 3, 4]", |results| {
        let event = notification(Uuid::from_u128(2), 2, "confirmed");
        deliver(letters(results), &event, &Addressee(5).email());
        letters(results).get_mut(&event_id(Uuid::from_u128(2), 3)).unwrap()[0].number = 98;
        letters(results).get_mut(&event_id(Uuid::from_u128(2), 4)).unwrap()[0].number = 99;
    });
    assert_found(Check::Letters, "about versions [2] instead of []", |results| {
        let event = notification(Uuid::from_u128(3), 2, "rejected");
        deliver(letters(results), &event, &Addressee(0).email());
    });
    assert_found(Check::Letters, "a letter to eve@example.org instead of demo-", |results| {
        letters(results).get_mut(&first).unwrap()[0].to = "eve@example.org".to_owned();
    });
}

#[test]
fn a_call_that_is_missing_out_of_order_unwanted_or_unsigned_is_a_finding() {
    let [first, second, third] = [1, 2, 3].map(|version| event_id(CANCELLED, version));
    for (has, what) in [
        (vec![], "about versions [] instead of [2, 3]"),
        (vec![third, second], "about versions [3, 2] instead of [2, 3]"),
        (vec![first, second, third], "about versions [1, 2, 3] instead of [2, 3]"),
    ] {
        assert_found(Check::Calls, what, |results| {
            calls(results).events.insert(CANCELLED, has);
        });
    }
    assert_found(Check::Calls, "no matching signature", |results| {
        calls(results).errors.push("call 1: no matching signature found".to_owned());
    });
    let mut results = correct_results();
    calls(&mut results).events.insert(CANCELLED, vec![second, second, third]);
    assert!(report(&results).is_good());
}

#[test]
fn what_is_not_checked_is_said_and_is_not_a_finding() {
    let mut results = correct_results();
    results.letters = Err("the mail server is not embedded".to_owned());
    let report = report(&results);
    let line = format!("-      not checked: {} (the mail server is not", Check::Letters.promise());
    assert!(report.is_good() && report.to_string().contains(&line), "{report}");
}
