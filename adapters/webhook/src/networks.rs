use std::net::IpAddr;

use ipnet::IpNet;

/// A part of a list of networks is not a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a network; write networks as ADDRESS/PREFIX separated by commas, such as \
     10.1.0.0/16,fd00:1::/32"
)]
pub struct NetworksError(pub String);

/// The networks in this text, such as `10.1.0.0/16, fd00:1::/32`, separated by commas. An address
/// without a prefix is a network of one address. An empty text has no networks.
///
/// # Errors
/// When a part is not a network.
pub fn parse_networks(text: &str) -> Result<Vec<IpNet>, NetworksError> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    text.split(',').map(|part| network(part.trim())).collect()
}

fn network(text: &str) -> Result<IpNet, NetworksError> {
    let one_address = || text.parse::<IpAddr>().map(IpNet::from);
    text.parse().or_else(|_| one_address()).map_err(|_| NetworksError(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_networks_is_separated_by_commas() {
        let networks = |text| {
            let networks = parse_networks(text).unwrap();
            networks.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(networks(""), Vec::<String>::new());
        assert_eq!(networks(" "), Vec::<String>::new());
        assert_eq!(networks("10.1.0.0/16"), ["10.1.0.0/16"]);
        assert_eq!(networks(" 10.1.0.0/16, fd00:1::/32 "), ["10.1.0.0/16", "fd00:1::/32"]);
        assert_eq!(networks("10.1.2.3,fd00::1"), ["10.1.2.3/32", "fd00::1/128"]);
    }

    #[test]
    fn a_part_that_is_no_network_is_named() {
        for (text, part) in [
            ("10.0.0.0/33", "10.0.0.0/33"),
            ("10.0.0.0/8,", ""),
            ("10.0.0.0/8;fd00::/8", "10.0.0.0/8;fd00::/8"),
            ("10.0.0.0/8, intranet", "intranet"),
            ("10.0.0/8", "10.0.0/8"),
        ] {
            assert_eq!(parse_networks(text), Err(NetworksError(part.to_owned())), "{text}");
        }
        let message = NetworksError("intranet".to_owned()).to_string();
        let expected = "`intranet` is not a network; write networks as ADDRESS/PREFIX separated by \
                        commas, such as 10.1.0.0/16,fd00:1::/32";
        assert_eq!(message, expected);
    }
}
