use std::net::{SocketAddr, TcpListener};

use runtime::StartError;

use crate::cli::SystemArgs;

/// The port of the web page with letters. Another is used if it is in use and was not asked for.
pub(crate) const MAIL_PORT: u16 = 8025;

/// The addresses that the services listen on: five consecutive ports.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) order_api: SocketAddr,
    pub(crate) registry: SocketAddr,
    pub(crate) order_jobs: SocketAddr,
    pub(crate) pharmacy_order: SocketAddr,
    pub(crate) notification: SocketAddr,
}

impl Ports {
    pub(crate) fn of(args: &SystemArgs) -> Self {
        let at = |step| SocketAddr::new(args.host, args.port + step);
        Self {
            order_api: at(0),
            registry: at(1),
            order_jobs: at(2),
            pharmacy_order: at(3),
            notification: at(4),
        }
    }

    /// Checks that all ports are free, before anything is started.
    pub(crate) fn check_free(&self, args: &SystemArgs) -> Result<(), StartError> {
        // An external registry may be the process that listens on this port.
        let registry = args.schema_registry_url.is_none().then_some(self.registry);
        let services = [self.order_api, self.order_jobs, self.pharmacy_order, self.notification];
        let mail = args.outgoing.mail_port.filter(|_| args.outgoing.embeds_mail_server());
        let mail = mail.map(|port| (SocketAddr::new(args.host, port), "ORDERS_MAIL_PORT"));
        let all = services.into_iter().chain(registry).map(|addr| (addr, "ORDERS_PORT"));
        for (addr, variable) in all.chain(mail) {
            TcpListener::bind(addr).map_err(|source| match source.kind() {
                std::io::ErrorKind::AddrInUse => StartError::AddressTaken { addr, variable },
                _ => StartError::Address { addr, variable: "ORDERS_HOST", source },
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn the_registry_port_may_be_taken_when_an_external_registry_is_used() {
        // Five ports of which the second, for the registry, is taken.
        let (taken, port) = (1024..60_000)
            .step_by(5)
            .find_map(|port| {
                let free = [0, 2, 3, 4].map(|step| TcpListener::bind(("127.0.0.1", port + step)));
                let taken = TcpListener::bind(("127.0.0.1", port + 1)).ok()?;
                free.iter().all(Result::is_ok).then_some((taken, port))
            })
            .expect("there are five free ports");
        let args = |more: &[&str]| {
            let port = port.to_string();
            let words = ["orders", "--port", &port].into_iter().chain(more.iter().copied());
            Cli::try_parse_from(words).expect("the command line is valid").system
        };
        let embedded = args(&[]);
        if embedded.schema_registry_url.is_none() {
            let refused = Ports::of(&embedded).check_free(&embedded);
            assert!(matches!(refused, Err(StartError::AddressTaken { .. })), "{refused:?}");
        }
        let external = args(&["--schema-registry-url", "http://localhost:8081"]);
        assert!(Ports::of(&external).check_free(&external).is_ok());
        drop(taken);
    }
}
