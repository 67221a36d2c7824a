use domain::CustomerId;
use domain::notification::{EmailAddress, Language, LetterKind, MandatoryLetter, Preferences};

#[test]
fn an_email_address_is_a_dot_atom_and_a_host_name() {
    let long = |count| "x".repeat(count);
    let good = [
        "ada@example.org".to_owned(),
        "o'brien+orders@mail.example.co.uk".to_owned(),
        "x@localhost".to_owned(),
        format!("{}@{}.org", long(64), long(63)),
    ];
    for address in good {
        assert_eq!(address.parse::<EmailAddress>().unwrap().as_str(), address);
    }
    let bad = [
        String::new(),
        "ada".to_owned(),
        "@example.org".to_owned(),
        "ada@".to_owned(),
        "ada@example..org".to_owned(),
        "ada@-example.org".to_owned(),
        "ada@example-.org".to_owned(),
        ".ada@example.org".to_owned(),
        "ada.@example.org".to_owned(),
        "a..da@example.org".to_owned(),
        "ada@b@example.org".to_owned(),
        "ada @example.org".to_owned(),
        " ada@example.org".to_owned(),
        "ada@example.org\r\nBcc: eve@example.org".to_owned(),
        "ada@example.org\0".to_owned(),
        "\"ada\"@example.org".to_owned(),
        "ada@[127.0.0.1]".to_owned(),
        "Ada <ada@example.org>".to_owned(),
        "zoë@example.org".to_owned(),
        "ada@exämple.org".to_owned(),
        format!("{}@example.org", long(65)),
        format!("ada@{}.org", long(64)),
        format!("{}@{}", long(64), [long(60), long(60), long(60), long(60)].join(".")),
    ];
    for address in bad {
        assert!(address.parse::<EmailAddress>().is_err(), "{address:?}");
    }
}

#[test]
fn an_email_address_is_not_shown_by_debug() {
    let address: EmailAddress = "ada@example.org".parse().unwrap();
    assert_eq!(format!("{address:?}"), "EmailAddress(..)");
}

#[test]
fn a_customer_id_has_1_to_64_harmless_characters() {
    for id in ["x", "C-1.a_Z", &"9".repeat(64)] {
        assert_eq!(id.parse::<CustomerId>().unwrap().as_str(), id);
    }
    for id in ["", " ", "a b", "a/b", "é", "a\n", "ada@example.org", &"9".repeat(65)] {
        assert!(id.parse::<CustomerId>().is_err(), "{id:?}");
    }
}

#[test]
fn each_letter_can_be_declined_except_rejection_and_cancellation() {
    for kind in LetterKind::ALL {
        let mandatory = matches!(kind, LetterKind::Rejected | LetterKind::Cancelled);
        let declined = Preferences::without([kind]);
        if mandatory {
            assert_eq!(declined, Err(MandatoryLetter));
        } else {
            let declined = declined.unwrap();
            for other in LetterKind::ALL {
                assert_eq!(declined.wants(other), other != kind);
            }
        }
        assert!(Preferences::default().wants(kind));
    }
}

#[test]
fn a_language_is_known_by_its_code() {
    for language in Language::ALL {
        assert_eq!(language.as_str().parse(), Ok(language));
    }
    assert!("EN".parse::<Language>().is_err());
}
