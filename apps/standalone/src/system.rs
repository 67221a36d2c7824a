use std::path::Path;
use std::time::{Duration, Instant};

use runtime::StartError;
use runtime::config::HttpArgs;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::backing_services::BackingServices;
use crate::cli::SystemArgs;
use crate::endpoints::Endpoints;
use crate::local;
use crate::ports::Ports;

/// How long the services may take to be ready.
const PATIENCE: Duration = Duration::from_mins(1);

/// The four services, running, and the backing they stand on.
pub(crate) struct System {
    backing: BackingServices,
    services: JoinSet<Result<(), StartError>>,
    endpoints: Endpoints,
    stop: CancellationToken,
}

impl System {
    /// Starts everything and waits until each service says that it is ready.
    pub(crate) async fn start(
        args: &SystemArgs,
        stop: CancellationToken,
    ) -> Result<Self, StartError> {
        let ports = Ports::of(args);
        ports.check_free(args)?;
        let backing = BackingServices::start(args, &ports).await?;
        let endpoints = endpoints(&backing, &ports);
        let services = start_services(&backing, &ports, &stop);
        let mut system = Self { backing, services, endpoints, stop };
        if let Err(error) = system.wait_until_ready().await {
            let _ = system.tear_down().await;
            return Err(error);
        }
        if system.backing.keeps_data_here() {
            system.endpoints.write(system.backing.home())?;
        }
        Ok(system)
    }

    /// Where everything is.
    pub(crate) const fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Where the database is, for people to read.
    pub(crate) fn database(&self) -> String {
        self.backing.database_for_people()
    }

    /// The folder of the embedded data.
    pub(crate) fn home(&self) -> &Path {
        self.backing.home()
    }

    /// Runs until told to stop, or until a service fails; then drains and stops everything.
    pub(crate) async fn run(mut self) -> Result<(), StartError> {
        let failed = tokio::select! {
            () = self.stop.cancelled() => Ok(()),
            ended = self.services.join_next() => outcome(ended),
        };
        failed.and(self.tear_down().await)
    }

    /// Drains the services, then stops what they stood on.
    pub(crate) async fn tear_down(mut self) -> Result<(), StartError> {
        self.stop.cancel();
        let mut result = Ok(());
        while let Some(ended) = self.services.join_next().await {
            result = result.and(outcome(Some(ended)));
        }
        self.backing.stop().await;
        result
    }

    async fn wait_until_ready(&mut self) -> Result<(), StartError> {
        let Endpoints { order_api, order_jobs, pharmacy_order, notification, .. } = &self.endpoints;
        let client = local::client()?;
        let deadline = Instant::now() + PATIENCE;
        for service in [order_api, order_jobs, pharmacy_order, notification] {
            let url = format!("{service}/readyz");
            loop {
                let answer = client.get(&url).timeout(Duration::from_secs(5)).send().await;
                if answer.as_ref().is_ok_and(|answer| answer.status().is_success()) {
                    break;
                }
                if let Some(ended) = self.services.try_join_next() {
                    return outcome(Some(ended));
                }
                if self.stop.is_cancelled() {
                    return Ok(());
                }
                if Instant::now() > deadline {
                    let why = match answer {
                        Ok(answer) => answer.text().await.unwrap_or_default(),
                        Err(error) => runtime::one_line(&error),
                    };
                    return Err(StartError::other(format!("{service} does not get ready"), why));
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Ok(())
    }
}

fn start_services(
    backing: &BackingServices,
    ports: &Ports,
    stop: &CancellationToken,
) -> JoinSet<Result<(), StartError>> {
    let mut services = JoinSet::new();
    services.spawn(order_api::run(
        order_api::Config {
            database: backing.database(16),
            http_addr: ports.order_api,
            http: HttpArgs::default(),
        },
        stop.clone(),
    ));
    services.spawn(order_jobs::run(
        order_jobs::Config {
            database: backing.database(10),
            kafka: backing.kafka(),
            http_addr: ports.order_jobs,
            http: HttpArgs::default(),
            relay: order_jobs::RelayArgs {
                kafka_topic_replication: backing.topic_replication(),
                ..order_jobs::RelayArgs::default()
            },
        },
        stop.clone(),
    ));
    services.spawn(pharmacy_order::run(
        pharmacy_order::Config {
            database: backing.database(6),
            kafka: backing.kafka(),
            http_addr: ports.pharmacy_order,
            http: HttpArgs::default(),
            kafka_group: "pharmacy-order-group".to_owned(),
            retention: pharmacy_order::RetentionArgs::default(),
        },
        stop.clone(),
    ));
    services.spawn(notification::run(
        notification::Config {
            database: backing.database(6),
            kafka: backing.kafka(),
            http_addr: ports.notification,
            http: HttpArgs::default(),
            kafka_group: "notification-group".to_owned(),
            retention: notification::RetentionArgs::default(),
        },
        stop.clone(),
    ));
    services
}

fn endpoints(backing: &BackingServices, ports: &Ports) -> Endpoints {
    let url = |addr| format!("http://{addr}");
    let kafka = backing.kafka();
    Endpoints {
        order_api: url(ports.order_api),
        order_jobs: url(ports.order_jobs),
        pharmacy_order: url(ports.pharmacy_order),
        notification: url(ports.notification),
        schema_registry: kafka.schema_registry_url,
        kafka: kafka.kafka_bootstrap_servers,
    }
}

/// What the end of a service means for the whole.
fn outcome(
    ended: Option<Result<Result<(), StartError>, tokio::task::JoinError>>,
) -> Result<(), StartError> {
    match ended {
        None | Some(Ok(Ok(()))) => Ok(()),
        Some(Ok(Err(error))) => Err(error),
        Some(Err(error)) => Err(StartError::other("a service broke down", error)),
    }
}
