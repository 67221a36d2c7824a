use std::path::Path;
use std::time::{Duration, Instant};

use consumer::ConsumerArgs;
use relay::RelayArgs;
use runtime::StartError;
use runtime::config::HttpArgs;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::backing_services::BackingServices;
use crate::cli::SystemArgs;
use crate::endpoints::Endpoints;
use crate::local;
use crate::ports::Ports;

/// Time for all services to become ready.
const READY_TIMEOUT: Duration = Duration::from_mins(1);

/// Maximum number of connections of each service. Without optimisation a login takes 30 ms of CPU time,
/// so more connections would make the first requests slower.
const CONNECTIONS: u32 = 6;

/// The four services, and the Postgres, Kafka, schema registry and mail server that they use.
pub(crate) struct System {
    backing_services: BackingServices,
    services: JoinSet<Result<(), StartError>>,
    endpoints: Endpoints,
    stop: CancellationToken,
}

impl System {
    /// Starts everything and waits until each service is ready.
    pub(crate) async fn start(
        args: &SystemArgs,
        stop: CancellationToken,
    ) -> Result<Self, StartError> {
        let ports = Ports::of(args);
        ports.check_free(args)?;
        let backing_services = BackingServices::start(args, &ports).await?;
        let endpoints = endpoints(&backing_services, &ports);
        let services = start_services(&backing_services, &ports, &stop);
        let mut system = Self { backing_services, services, endpoints, stop };
        if let Err(error) = system.wait_until_ready().await {
            let _ = system.stop().await;
            return Err(error);
        }
        if system.backing_services.has_embedded_postgres() {
            system.endpoints.write(system.backing_services.home())?;
        }
        Ok(system)
    }

    /// The addresses of all services.
    pub(crate) const fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// The address of the database, to be displayed.
    pub(crate) fn database(&self) -> String {
        self.backing_services.displayed_database()
    }

    /// The folder of the embedded data.
    pub(crate) fn home(&self) -> &Path {
        self.backing_services.home()
    }

    /// Runs until it is asked to stop or a service fails. Then stops everything.
    pub(crate) async fn run(mut self) -> Result<(), StartError> {
        let failed = tokio::select! {
            () = self.stop.cancelled() => Ok(()),
            ended = self.services.join_next() => service_result(ended),
            error = self.backing_services.ended() => Err(error),
        };
        failed.and(self.stop().await)
    }

    /// Stops the services, and then the embedded servers.
    pub(crate) async fn stop(mut self) -> Result<(), StartError> {
        self.stop.cancel();
        let mut result = Ok(());
        while let Some(ended) = self.services.join_next().await {
            result = result.and(service_result(Some(ended)));
        }
        self.backing_services.stop().await;
        result
    }

    async fn wait_until_ready(&mut self) -> Result<(), StartError> {
        let Endpoints { order_api, order_jobs, pharmacy_order, notification, .. } = &self.endpoints;
        let client = local::client()?;
        let deadline = Instant::now() + READY_TIMEOUT;
        for service in [order_api, order_jobs, pharmacy_order, notification] {
            let url = format!("{service}/readyz");
            loop {
                let answer = client.get(&url).timeout(Duration::from_secs(5)).send().await;
                if answer.as_ref().is_ok_and(|answer| answer.status().is_success()) {
                    break;
                }
                if let Some(ended) = self.services.try_join_next() {
                    return service_result(Some(ended));
                }
                if self.stop.is_cancelled() {
                    return Ok(());
                }
                if Instant::now() > deadline {
                    let why = match answer {
                        Ok(answer) => answer.text().await.unwrap_or_default(),
                        Err(error) => runtime::one_line(&error),
                    };
                    return Err(StartError::other(format!("{service} does not become ready"), why));
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Ok(())
    }
}

fn start_services(
    backing_services: &BackingServices,
    ports: &Ports,
    stop: &CancellationToken,
) -> JoinSet<Result<(), StartError>> {
    let mut services = JoinSet::new();
    services.spawn(order_api::run(
        order_api::Config {
            database: backing_services.database(CONNECTIONS),
            http_addr: ports.order_api,
            http: HttpArgs::default(),
        },
        stop.clone(),
    ));
    services.spawn(order_jobs::run(
        order_jobs::Config {
            consumer: consumer_args(backing_services),
            http_addr: ports.order_jobs,
            kafka_group: "ordering-group".to_owned(),
            pharmacy_topic: backing_services.pharmacy_topic(),
            relay: relay_args(backing_services),
            retention: order_jobs::RetentionArgs::default(),
        },
        stop.clone(),
    ));
    services.spawn(pharmacy_order::run(
        pharmacy_order::Config {
            consumer: consumer_args(backing_services),
            http_addr: ports.pharmacy_order,
            kafka_group: "pharmacy-order-group".to_owned(),
            pharmacy_topic: backing_services.pharmacy_topic(),
            relay: relay_args(backing_services),
            retention: pharmacy_order::RetentionArgs::default(),
        },
        stop.clone(),
    ));
    services.spawn(notification::run(
        notification::Config {
            consumer: consumer_args(backing_services),
            http_addr: ports.notification,
            kafka_group: "notification-group".to_owned(),
            mail: backing_services.mail(),
            webhooks: backing_services.webhooks(),
            retention: notification::RetentionArgs::default(),
        },
        stop.clone(),
    ));
    services
}

fn consumer_args(backing_services: &BackingServices) -> ConsumerArgs {
    ConsumerArgs {
        database: backing_services.database(CONNECTIONS),
        kafka: backing_services.kafka(),
        http: HttpArgs::default(),
    }
}

fn relay_args(backing_services: &BackingServices) -> RelayArgs {
    RelayArgs {
        kafka_topic_replication: backing_services.topic_replication(),
        ..RelayArgs::default()
    }
}

fn endpoints(backing_services: &BackingServices, ports: &Ports) -> Endpoints {
    let url = |addr| format!("http://{addr}");
    let kafka = backing_services.kafka();
    Endpoints {
        order_api: url(ports.order_api),
        order_jobs: url(ports.order_jobs),
        pharmacy_order: url(ports.pharmacy_order),
        notification: url(ports.notification),
        schema_registry: kafka.schema_registry_url,
        kafka: kafka.kafka_bootstrap_servers,
        letters: backing_services.letters(),
        webhooks: backing_services.has_webhook_key(),
    }
}

/// The result of a service that has ended.
fn service_result(
    ended: Option<Result<Result<(), StartError>, tokio::task::JoinError>>,
) -> Result<(), StartError> {
    match ended {
        None | Some(Ok(Ok(()))) => Ok(()),
        Some(Ok(Err(error))) => Err(error),
        Some(Err(error)) => Err(StartError::other("a service panicked", error)),
    }
}
