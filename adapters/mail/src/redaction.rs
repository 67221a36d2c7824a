use application::notification::Letter;

/// Maximum number of characters of an answer.
const MAX_CHARS: usize = 200;

/// What takes the place of personal data.
const PLACEHOLDER: &str = "…";

/// The personal data of a letter. Servers repeat it in their answers, as in
/// `550 <ada@example.org>: no such user`.
pub(crate) struct Redaction(Vec<Term>);

/// A text to remove, in upper or lower case.
struct Term {
    chars: Vec<char>,
    /// Whether it is removed only as a whole word. Otherwise a short name would remove parts of the
    /// words of an answer.
    as_word: bool,
}

impl Redaction {
    pub(crate) fn of(letter: &Letter) -> Self {
        let address = letter.to.as_str();
        let local_part = address.split('@').next().unwrap_or(address);
        let name = one_line(&letter.name);
        let words = name.split(' ').map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
        // Initials do not identify anybody.
        let words = words.filter(|word| word.chars().count() > 1);
        let anywhere = [&*format!("<{address}>"), address].map(|text| Term::new(text, false));
        // Some scripts have no spaces between words. Answers are in ASCII.
        let names = [local_part, &*name].into_iter().chain(words);
        let names = names.map(|text| Term::new(text, text.is_ascii()));
        Self(anywhere.into_iter().chain(names).collect())
    }

    /// The text in one line, without personal data, cut to 200 characters.
    pub(crate) fn apply(&self, text: &str) -> String {
        let text = self.0.iter().fold(one_line(text), |text, term| term.removed_from(&text));
        text.chars().take(MAX_CHARS).collect()
    }
}

impl Term {
    fn new(text: &str, as_word: bool) -> Self {
        Self { chars: text.chars().collect(), as_word }
    }

    fn removed_from(&self, text: &str) -> String {
        let chars: Vec<char> = text.chars().collect();
        let mut kept = String::with_capacity(text.len());
        let mut at = 0;
        while let Some(&c) = chars.get(at) {
            if self.is_at(at, &chars) {
                kept.push_str(PLACEHOLDER);
                at += self.chars.len();
            } else {
                kept.push(c);
                at += 1;
            }
        }
        kept
    }

    fn is_at(&self, at: usize, text: &[char]) -> bool {
        let (before, rest) = text.split_at(at);
        let found = !self.chars.is_empty()
            && rest.len() >= self.chars.len()
            && rest.iter().zip(&self.chars).all(|(a, b)| a.to_lowercase().eq(b.to_lowercase()));
        let joined = |c: Option<&char>| c.is_some_and(|c| c.is_alphanumeric());
        found && !(self.as_word && (joined(before.last()) || joined(rest.get(self.chars.len()))))
    }
}

/// Replaces line breaks and other control characters, and removes repeated white space. It also makes
/// names comparable.
pub(crate) fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tests::letter;

    fn redacted(text: &str) -> String {
        Redaction::of(&letter("Ada  King-Noel Lovelace", "ada.l@example.org")).apply(text)
    }

    #[test]
    fn addresses_and_names_are_removed_from_answers() {
        for (answer, expected) in [
            ("550 <ada.l@example.org>: no such user", "550 …: no such user"),
            ("550 ADA.L@Example.ORG unknown", "550 … unknown"),
            ("550 bounce+ada.l@example.org.invalid", "550 bounce+….invalid"),
            ("550 mailbox ada.l is full", "550 mailbox … is full"),
            ("550 (ada.l) unknown", "550 (…) unknown"),
            (
                "550 bounce+ada.l=example.org@relay.example",
                "550 bounce+…=example.org@relay.example",
            ),
            ("550 Ada King-Noel\r\n Lovelace is unknown", "550 … is unknown"),
            ("550 no mail for lovelace, ada", "550 no mail for …, …"),
            ("550 mail for KING-NOEL", "550 mail for …"),
            ("550 canada.line is not Adam", "550 canada.line is not Adam"),
        ] {
            assert_eq!(redacted(answer), expected);
        }
    }

    #[test]
    fn a_short_local_part_is_removed_only_as_a_word() {
        let redaction = Redaction::of(&letter("X", "a@example.org"));
        assert_eq!(redaction.apply("550 a mail to a@example.org fails"), "550 … mail to … fails");
    }

    #[test]
    fn a_name_in_a_script_without_spaces_is_removed_inside_a_text() {
        let redaction = Redaction::of(&letter("王小明", "w@example.org"));
        assert_eq!(redaction.apply("550 用户王小明不存在"), "550 用户…不存在");
    }

    #[test]
    fn an_answer_is_one_line_of_at_most_200_characters() {
        assert_eq!(
            redacted("450 line\r\nbreak\tand\u{1b}[31m colour\0"),
            "450 line break and [31m colour"
        );
        assert_eq!(redacted(&"é".repeat(500)).chars().count(), 200);
    }

    #[test]
    fn an_address_at_the_cut_is_removed_as_a_whole() {
        let cut = redacted(&format!("{} ada.l@example.org", "x".repeat(195)));
        assert_eq!(cut, format!("{} …", "x".repeat(195)));
    }

    proptest! {
        #[test]
        fn no_answer_contains_the_address_or_the_name(
            name in "\\p{L}{2,10}( \\p{L}{2,10}){0,2}",
            local_part in "[a-z0-9]{1,10}([.+-][a-z0-9]{1,10}){0,2}",
        ) {
            let address = format!("{local_part}@example.org");
            let answer = format!("550 <{address}> ({name}): {local_part}, {name}, {address}");
            let text = Redaction::of(&letter(&name, &address)).apply(&answer);
            prop_assert!(!text.contains(&address) && !text.contains(&name), "{text}");
            let mut left = text.split(|c: char| !c.is_alphanumeric());
            prop_assert!(!left.any(|word| word == local_part || name.split(' ').any(|n| n == word)));
        }
    }
}
