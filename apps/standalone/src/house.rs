use std::path::Path;
use std::time::{Duration, Instant};

use runtime::StartError;
use runtime::config::{HttpArgs, LogFormat, TelemetryArgs};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::cli::WorldArgs;
use crate::endpoints::Endpoints;
use crate::local;
use crate::ports::Ports;
use crate::world::World;

/// How long the services may take to be ready.
const PATIENCE: Duration = Duration::from_mins(1);

/// The four services, running, and the world they stand on.
pub(crate) struct House {
    world: World,
    services: JoinSet<Result<(), StartError>>,
    endpoints: Endpoints,
    stop: CancellationToken,
}

impl House {
    /// Starts everything and waits until each service says that it is ready.
    pub(crate) async fn start(
        args: &WorldArgs,
        stop: CancellationToken,
    ) -> Result<Self, StartError> {
        let ports = Ports::of(args);
        ports.check_free(args)?;
        let world = World::start(args, &ports).await?;
        let endpoints = endpoints(&world, &ports);
        let services = start_services(&world, &ports, &stop);
        let mut house = Self { world, services, endpoints, stop };
        if let Err(error) = house.wait_until_ready().await {
            let _ = house.tear_down().await;
            return Err(error);
        }
        if house.world.keeps_data_here() {
            house.endpoints.write(house.world.home())?;
        }
        Ok(house)
    }

    /// Where everything is.
    pub(crate) const fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Where the database is, for people to read.
    pub(crate) fn database(&self) -> String {
        self.world.database_for_people()
    }

    /// The folder of the embedded data.
    pub(crate) fn home(&self) -> &Path {
        self.world.home()
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
        self.world.stop().await;
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
    world: &World,
    ports: &Ports,
    stop: &CancellationToken,
) -> JoinSet<Result<(), StartError>> {
    // Logging is this process's affair; the services' own settings for it are not used.
    let telemetry = || TelemetryArgs { rust_log: "info".to_owned(), log_format: LogFormat::Text };
    let mut services = JoinSet::new();
    services.spawn(order_api::run(
        order_api::Config {
            database: world.database(16),
            telemetry: telemetry(),
            http_addr: ports.order_api,
            http: HttpArgs::default(),
        },
        stop.clone(),
    ));
    services.spawn(order_jobs::run(
        order_jobs::Config {
            database: world.database(10),
            kafka: world.kafka(),
            telemetry: telemetry(),
            http_addr: ports.order_jobs,
            http: HttpArgs::default(),
            relay: order_jobs::RelayArgs {
                kafka_topic_replication: world.topic_replication(),
                ..order_jobs::RelayArgs::default()
            },
        },
        stop.clone(),
    ));
    services.spawn(pharmacy_order::run(
        pharmacy_order::Config {
            database: world.database(6),
            kafka: world.kafka(),
            telemetry: telemetry(),
            http_addr: ports.pharmacy_order,
            http: HttpArgs::default(),
            kafka_group: "pharmacy-order-group".to_owned(),
            retention: pharmacy_order::RetentionArgs::default(),
        },
        stop.clone(),
    ));
    services.spawn(notification::run(
        notification::Config {
            database: world.database(6),
            kafka: world.kafka(),
            telemetry: telemetry(),
            http_addr: ports.notification,
            http: HttpArgs::default(),
            kafka_group: "notification-group".to_owned(),
            retention: notification::RetentionArgs::default(),
        },
        stop.clone(),
    ));
    services
}

fn endpoints(world: &World, ports: &Ports) -> Endpoints {
    let url = |addr| format!("http://{addr}");
    let kafka = world.kafka();
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
