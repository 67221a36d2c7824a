use std::net::{SocketAddr, TcpListener};

use adapters::StartError;

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
    pub(crate) fn check_free(&self) -> Result<(), StartError> {
        let all = [
            self.order_api,
            self.registry,
            self.order_jobs,
            self.pharmacy_order,
            self.notification,
        ];
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
