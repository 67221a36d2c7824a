/// A command of a client (RFC 5321, 4.1).
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command<'a> {
    /// `HELO`.
    Helo,
    /// `EHLO`.
    Ehlo,
    /// `AUTH PLAIN`, with the credentials if the client sends them at once.
    AuthPlain {
        /// Whether the client sends them at once.
        with_credentials: bool,
    },
    /// `MAIL FROM` with the address. It is empty for a bounce.
    Mail(&'a str),
    /// `RCPT TO` with the address.
    Rcpt(&'a str),
    /// `DATA`.
    Data,
    /// `RSET`.
    Rset,
    /// `NOOP`.
    Noop,
    /// `QUIT`.
    Quit,
    /// A known command with wrong arguments.
    Malformed,
    /// Any other command.
    Unknown,
}

impl<'a> Command<'a> {
    /// Parses a line without its line break.
    pub(crate) fn parse(line: &'a str) -> Self {
        let (verb, arguments) = line.split_once(' ').unwrap_or((line, ""));
        let arguments = arguments.trim();
        match verb.to_ascii_uppercase().as_str() {
            "HELO" if !arguments.is_empty() => Self::Helo,
            "EHLO" if !arguments.is_empty() => Self::Ehlo,
            "AUTH" => match arguments.split_once(' ') {
                Some((mechanism, _)) if mechanism.eq_ignore_ascii_case("PLAIN") => {
                    Self::AuthPlain { with_credentials: true }
                }
                None if arguments.eq_ignore_ascii_case("PLAIN") => {
                    Self::AuthPlain { with_credentials: false }
                }
                _ => Self::Malformed,
            },
            "MAIL" => path(arguments, "FROM:").map_or(Self::Malformed, Self::Mail),
            "RCPT" => match path(arguments, "TO:") {
                Some(address) if !address.is_empty() => Self::Rcpt(address),
                _ => Self::Malformed,
            },
            "DATA" if arguments.is_empty() => Self::Data,
            "RSET" => Self::Rset,
            "NOOP" => Self::Noop,
            "QUIT" => Self::Quit,
            "HELO" | "EHLO" | "DATA" => Self::Malformed,
            _ => Self::Unknown,
        }
    }
}

/// The address in `FROM:<address> PARAMETER=VALUE`. Parameters are ignored.
fn path<'a>(arguments: &'a str, keyword: &str) -> Option<&'a str> {
    let (head, rest) = arguments.split_at_checked(keyword.len())?;
    let rest = rest.trim_start().strip_prefix('<')?;
    let (address, parameters) = rest.split_once('>')?;
    let well_formed = head.eq_ignore_ascii_case(keyword)
        && (parameters.is_empty() || parameters.starts_with(' '))
        && !address.contains([' ', '<']);
    well_formed.then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_parsed_without_regard_to_case() {
        for (line, command) in [
            ("EHLO client", Command::Ehlo),
            ("helo client", Command::Helo),
            ("EHLO", Command::Malformed),
            ("MAIL FROM:<a@example.org> SIZE=100", Command::Mail("a@example.org")),
            ("mail from: <>", Command::Mail("")),
            ("MAIL FROM:a@example.org", Command::Malformed),
            ("MAIL TO:<a@example.org>", Command::Malformed),
            ("RCPT TO:<b@example.org>", Command::Rcpt("b@example.org")),
            ("RCPT TO:<>", Command::Malformed),
            ("RCPT TO:<b@example.org", Command::Malformed),
            ("RCPT TO:<b@example.org>x", Command::Malformed),
            ("RCPT Tö", Command::Malformed),
            ("AUTH PLAIN AGEAYg==", Command::AuthPlain { with_credentials: true }),
            ("AUTH plain", Command::AuthPlain { with_credentials: false }),
            ("AUTH LOGIN", Command::Malformed),
            ("data", Command::Data),
            ("DATA now", Command::Malformed),
            ("RSET", Command::Rset),
            ("NOOP anything", Command::Noop),
            ("QUIT", Command::Quit),
            ("STARTTLS", Command::Unknown),
            ("", Command::Unknown),
        ] {
            assert_eq!(Command::parse(line), command, "{line}");
        }
    }
}
