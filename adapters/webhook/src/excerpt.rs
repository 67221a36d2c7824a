/// The maximum length of an excerpt in characters.
pub(crate) const MAX_CHARACTERS: usize = 200;

/// The beginning of a text of someone else, for logs and operators: one line, at most 200 characters,
/// without characters that control a terminal or change the direction of text.
pub(crate) fn excerpt(text: &str) -> String {
    let clean: String = text.chars().map(|c| if is_harmful(c) { ' ' } else { c }).collect();
    let one_line = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    one_line.chars().take(MAX_CHARACTERS).collect()
}

fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || matches!(c, '\u{feff}' | '\u{fffd}' | '\u{61c}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_one_short_line_without_control_characters() {
        for (text, expected) in [
            ("", ""),
            (" \r\n\t", ""),
            ("try  again\r\nlater\n", "try again later"),
            ("\u{1b}[2Jgone\u{7}", "[2Jgone"),
            ("a\u{202e}b\u{2028}c\u{feff}", "a b c"),
            ("später, 後で", "später, 後で"),
        ] {
            assert_eq!(excerpt(text), expected, "{text:?}");
        }
        assert_eq!(excerpt(&"é".repeat(1000)), "é".repeat(MAX_CHARACTERS));
    }
}
