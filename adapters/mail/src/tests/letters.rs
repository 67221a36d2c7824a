use application::notification::Letter;
use domain::notification::{Language, LetterKind};

use super::letter;
use crate::words::Words;

fn letters(language: Language) -> impl Iterator<Item = Letter> {
    LetterKind::ALL.into_iter().map(move |kind| Letter {
        language,
        kind,
        reason: matches!(kind, LetterKind::Rejected | LetterKind::Cancelled)
            .then(|| "2 < 3 & \"out of stock\"".to_owned()),
        ..letter("Ada <b>Lovelace</b>", "ada@example.org")
    })
}

fn all(language: Language, render: impl Fn(&Words) -> String) -> String {
    letters(language)
        .map(|letter| {
            let words = Words::of(&letter).unwrap();
            format!("=== {}: {}\n{}", letter.kind.as_str(), words.subject, render(&words))
        })
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn the_plain_texts_are_as_in_the_snapshots() {
    for language in Language::ALL {
        insta::assert_snapshot!(format!("text-{language}"), all(language, Words::text));
    }
}

#[test]
fn the_html_texts_are_as_in_the_snapshots() {
    for language in Language::ALL {
        let html = |words: &Words| words.html().unwrap();
        insta::assert_snapshot!(format!("html-{language}"), all(language, html));
    }
}

#[test]
fn each_letter_names_the_order_and_the_customer_and_has_its_own_subject() {
    for language in Language::ALL {
        let mut subjects = std::collections::BTreeSet::new();
        for letter in letters(language) {
            let words = Words::of(&letter).unwrap();
            let text = words.text();
            assert!(text.contains(&letter.order_id.to_string()), "{text}");
            assert!(text.contains(&letter.name), "{text}");
            assert_eq!(letter.reason.is_some_and(|r| text.contains(&r)), text.contains("2 < 3"));
            assert!(subjects.insert(words.subject));
        }
    }
}

#[test]
fn a_reason_is_left_out_if_there_is_none() {
    for reason in [None, Some(" \n")] {
        let reason = reason.map(str::to_owned);
        let kind = LetterKind::Rejected;
        let text = Words::of(&Letter { kind, reason, ..letter("Ada", "ada@example.org") });
        assert!(!text.unwrap().text().contains("Reason"));
    }
}

#[test]
fn a_name_or_a_reason_with_line_breaks_adds_no_paragraph() {
    let kind = LetterKind::Cancelled;
    let plain = Letter { kind, reason: Some("a b".into()), ..letter("A B", "ada@example.org") };
    let broken =
        Letter { reason: Some("a\r\n\nb".into()), name: "A\u{2028}\nB".into(), ..plain.clone() };
    assert_eq!(Words::of(&broken).unwrap().text(), Words::of(&plain).unwrap().text());
}
