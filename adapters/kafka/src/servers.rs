use runtime::StartError;

/// Reads the brokers to ask first: `host:port`, several with commas.
///
/// # Errors
/// When there is none, or one of them is something else.
pub(super) fn parse(text: &str) -> Result<String, StartError> {
    let servers: Vec<&str> = text.split(',').map(str::trim).collect();
    let wrong = |reason| StartError::setting("KAFKA_BOOTSTRAP_SERVERS", reason);
    if servers == [""] {
        return Err(wrong("it is empty; write host:port, several with commas".to_owned()));
    }
    match servers.iter().find(|server| !is_address(server)) {
        Some(odd) => Err(wrong(format!("'{odd}' is no host:port; several go with commas"))),
        None => Ok(servers.join(",")),
    }
}

fn is_address(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let host_is_fine = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(ip) => ip.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && !host.contains([':', '/', '[', ']', ' ']),
    };
    host_is_fine && port.parse::<u16>().is_ok_and(|port| port > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brokers_are_hosts_with_ports() {
        for (text, expected) in [
            ("localhost:9092", "localhost:9092"),
            (" kafka-1.example:9092 , 10.0.0.2:65535", "kafka-1.example:9092,10.0.0.2:65535"),
            ("[::1]:9092", "[::1]:9092"),
        ] {
            assert_eq!(parse(text).unwrap(), expected);
        }
    }

    #[test]
    fn anything_else_is_told_in_one_line() {
        for (text, reason) in [
            ("", "it is empty; write host:port, several with commas"),
            ("  ", "it is empty; write host:port, several with commas"),
            ("kafka", "'kafka' is no host:port; several go with commas"),
            ("kafka:", "'kafka:' is no host:port; several go with commas"),
            ("kafka:0", "'kafka:0' is no host:port; several go with commas"),
            ("kafka:65536", "'kafka:65536' is no host:port; several go with commas"),
            (":9092", "':9092' is no host:port; several go with commas"),
            ("a:1,,b:2", "'' is no host:port; several go with commas"),
            ("a:1;b:2", "'a:1;b:2' is no host:port; several go with commas"),
            ("SSL://a:1", "'SSL://a:1' is no host:port; several go with commas"),
            ("::1:9092", "'::1:9092' is no host:port; several go with commas"),
        ] {
            let said = parse(text).unwrap_err().to_string();
            assert_eq!(said, format!("KAFKA_BOOTSTRAP_SERVERS is wrong: {reason}"));
        }
    }
}
