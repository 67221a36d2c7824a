use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use crate::address::is_global;

/// Where webhooks may be. The default permits `https` to the public internet only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// Also permits this host, with `http` and `https`. For development only.
    pub allow_http_loopback: bool,
    /// Also permits addresses in these networks, with `https`.
    ///
    /// In a network with DNS64, `64:ff9b::/96` permits the public internet through the NAT64 gateway.
    /// The gateway must not forward to private IPv4 addresses then.
    pub allowed_networks: Vec<IpNet>,
}

impl Policy {
    /// Whether a webhook may be at this address, if its URL contains the address.
    pub(crate) fn permits(&self, address: IpAddr) -> bool {
        self.permits_loopback(address) || self.opens(address) || is_global(address)
    }

    /// Whether a webhook may be at this address, if its host has this name and the name resolves to the
    /// address.
    pub(crate) fn permits_for(&self, name: &str, address: IpAddr) -> bool {
        if is_localhost(name) {
            // Calls with `http` are permitted for these names, and must not leave this host.
            return address.is_loopback() && self.permits(address);
        }
        // Another name with a loopback address is DNS rebinding, also in development.
        self.opens(address) || is_global(address)
    }

    /// Whether names for this host are permitted.
    pub(crate) fn permits_localhost(&self) -> bool {
        self.permits(Ipv4Addr::LOCALHOST.into()) || self.permits(Ipv6Addr::LOCALHOST.into())
    }

    fn permits_loopback(&self, address: IpAddr) -> bool {
        self.allow_http_loopback && address.is_loopback()
    }

    fn opens(&self, address: IpAddr) -> bool {
        self.allowed_networks.iter().any(|network| network.contains(&address))
    }
}

/// Whether this name always means this host (RFC 6761).
pub(crate) fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let last = name.rsplit('.').next().unwrap_or(name);
    last.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEVELOPMENT: Policy = Policy { allow_http_loopback: true, allowed_networks: Vec::new() };

    fn opening(networks: &str) -> Policy {
        let allowed_networks = crate::parse_networks(networks).unwrap();
        Policy { allowed_networks, ..Policy::default() }
    }

    #[test]
    fn a_name_may_resolve_to_permitted_addresses_only() {
        let table = [
            (Policy::default(), "hooks.example", "8.8.8.8", true),
            (Policy::default(), "hooks.example", "10.1.2.3", false),
            (Policy::default(), "hooks.example", "127.0.0.1", false),
            (Policy::default(), "localhost", "127.0.0.1", false),
            (Policy::default(), "localhost", "8.8.8.8", false),
            (DEVELOPMENT, "localhost", "127.0.0.1", true),
            (DEVELOPMENT, "localhost", "::1", true),
            (DEVELOPMENT, "hooks.LOCALHOST.", "127.0.0.1", true),
            (DEVELOPMENT, "localhost", "8.8.8.8", false),
            (DEVELOPMENT, "localhost", "::ffff:127.0.0.1", false),
            (DEVELOPMENT, "hooks.example", "127.0.0.1", false),
            (DEVELOPMENT, "localhost.example", "127.0.0.1", false),
            (opening("10.1.0.0/16"), "hooks.example", "10.1.2.3", true),
            (opening("10.1.0.0/16"), "hooks.example", "10.2.0.0", false),
            (opening("10.1.0.0/16"), "hooks.example", "::ffff:10.1.2.3", false),
            (opening("10.1.0.0/16"), "localhost", "10.1.2.3", false),
            (opening("10.1.0.0/16"), "hooks.example", "8.8.8.8", true),
            (opening("127.0.0.0/8"), "localhost", "127.0.0.1", true),
            (opening("127.0.0.0/8"), "localhost", "::1", false),
            (opening("64:ff9b::/96"), "hooks.example", "64:ff9b::8.8.8.8", true),
        ];
        for (policy, name, address, permitted) in table {
            let found = policy.permits_for(name, address.parse().unwrap());
            assert_eq!(found, permitted, "{policy:?} {name} {address}");
        }
    }
}
