use application::ordering::{Fingerprint, IdempotencyKey};
use proptest::prelude::*;

proptest! {
    #[test]
    fn a_key_is_accepted_exactly_when_it_is_1_to_255_visible_ascii_characters(
        text in prop_oneof![
            any::<String>(),
            "[!-~]{0,260}",
            "[!-~]{250,260}",
            "[!-~]{1,10}[ \\n\u{7f}é][!-~]{1,10}",
        ],
    ) {
        let visible = text.chars().all(|c| ('!'..='~').contains(&c));
        let fits = visible && (1..=255).contains(&text.len());
        match text.parse::<IdempotencyKey>() {
            Ok(key) => {
                prop_assert!(fits);
                prop_assert_eq!(key.as_str(), &text);
                prop_assert_eq!(key.to_string().parse(), Ok(key));
            }
            Err(_) => prop_assert!(!fits),
        }
    }

    #[test]
    fn different_requests_have_different_fingerprints_that_can_be_stored(
        one in any::<String>(),
        other in any::<String>(),
    ) {
        let fingerprint = Fingerprint::of(&one);
        prop_assert_eq!(Fingerprint::restore(fingerprint.get()), fingerprint);
        prop_assert_eq!(Fingerprint::of(&other) == fingerprint, one == other);
    }
}
