use std::net::{SocketAddr, TcpListener};

use runtime::StartError;

use crate::cli::WorldArgs;

/// Where each part listens: five ports in a row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) order_api: SocketAddr,
    pub(crate) registry: SocketAddr,
    pub(crate) order_jobs: SocketAddr,
    pub(crate) pharmacy_order: SocketAddr,
    pub(crate) notification: SocketAddr,
}

impl Ports {
    pub(crate) fn of(args: &WorldArgs) -> Self {
        let at = |step| SocketAddr::new(args.host, args.port + step);
        Self {
            order_api: at(0),
            registry: at(1),
            order_jobs: at(2),
            pharmacy_order: at(3),
            notification: at(4),
        }
    }

    /// Finds a taken port before anything is started, so that nothing has to be torn down again.
    pub(crate) fn check_free(&self, args: &WorldArgs) -> Result<(), StartError> {
        // Where somebody else's registry is used, it may well be the one that listens here.
        let registry = args.schema_registry_url.is_none().then_some(self.registry);
        let services = [self.order_api, self.order_jobs, self.pharmacy_order, self.notification];
        let all = services.into_iter().chain(registry);
        for addr in all {
            TcpListener::bind(addr).map_err(|source| match source.kind() {
                std::io::ErrorKind::AddrInUse => {
                    StartError::AddressTaken { addr, variable: "ORDERS_PORT" }
                }
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
    fn the_registry_port_may_be_taken_when_somebody_elses_registry_is_used() {
        // Five ports of which the second, the registry's, is taken.
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
            Cli::try_parse_from(words).expect("the command line is right").world
        };
        let own = args(&[]);
        if own.schema_registry_url.is_none() {
            let refused = Ports::of(&own).check_free(&own);
            assert!(matches!(refused, Err(StartError::AddressTaken { .. })), "{refused:?}");
        }
        let other = args(&["--schema-registry-url", "http://localhost:8081"]);
        assert!(Ports::of(&other).check_free(&other).is_ok());
        drop(taken);
    }
}
