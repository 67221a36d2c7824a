use std::time::Duration;

use adapter_outbox::ContextOutbox;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Arg, Args, ValueEnum};
use runtime::config::seconds;

/// The settings of a relay. Their names and defaults are the same in all programs.
#[derive(Debug, Clone, Args)]
pub struct RelayArgs {
    /// Number of batches that this instance processes concurrently
    #[arg(long, env = "RELAY_WORKERS", default_value_t = 4, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=16))]
    pub relay_workers: u32,

    /// Maximum number of events in a batch
    #[arg(long, env = "RELAY_BATCH", default_value_t = 1000, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub relay_batch: u32,

    /// Seconds between two polls of the outbox. Notifications of new events usually come earlier
    #[arg(long, env = "RELAY_POLL_SECONDS", default_value = "0.5", value_name = "SECONDS",
          value_parser = seconds)]
    pub relay_poll: Duration,

    /// Replicas of each partition of the topic, used to create the topic and to check it
    #[arg(long, env = "KAFKA_TOPIC_REPLICATION", default_value_t = 3, value_name = "N",
          value_parser = clap::value_parser!(u16).range(1..=100))]
    pub kafka_topic_replication: u16,

    /// Days to keep published events in the outbox. Must be more than the retention of the topic, so
    /// that events that the topic has lost can be replayed. At most 365: each day is a partition that
    /// each claim has to read
    #[arg(long, env = "OUTBOX_RETENTION_DAYS", default_value_t = 8, value_name = "DAYS",
          value_parser = clap::value_parser!(u32).range(1..=365))]
    pub outbox_retention_days: u32,

    /// Seconds between two checks of the outbox (its sequences, and that Postgres is the same server)
    /// and of the topic (its partitions and settings); at most 240
    #[arg(long, env = "RELAY_CHECK_SECONDS", default_value = "60", value_name = "SECONDS",
          value_parser = check_seconds)]
    pub relay_check: Duration,

    /// Whether to continue publishing after the promotion of a standby without the command `adopt`
    #[arg(long, env = "OUTBOX_ADOPT_PROMOTION", default_value = "off", value_name = "WHEN")]
    pub outbox_adopt_promotion: AdoptPromotion,
}

/// Parses the time between two checks. librdkafka finds new partitions within five minutes and starts
/// to use them, so a check must find them earlier.
fn check_seconds(text: &str) -> Result<Duration, String> {
    let checked = seconds(text)?;
    if checked <= Duration::from_mins(4) {
        Ok(checked)
    } else {
        Err("it must be at most 240".into())
    }
}

/// The promotions that a relay accepts without an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AdoptPromotion {
    /// Never: an operator must run the command `adopt` after each promotion.
    Off,
    /// After the promotion of a synchronous standby, which has all committed data. The relay cannot
    /// check this: use it only if every standby that may be promoted is synchronous.
    Synchronous,
}

impl Default for RelayArgs {
    fn default() -> Self {
        Self {
            relay_workers: 4,
            relay_batch: 1000,
            relay_poll: Duration::from_millis(500),
            kafka_topic_replication: 3,
            outbox_retention_days: 8,
            relay_check: Duration::from_mins(1),
            outbox_adopt_promotion: AdoptPromotion::Off,
        }
    }
}

/// Names the program's command in the help of [`RelayArgs::outbox_adopt_promotion`]:
/// `mut_arg("outbox_adopt_promotion", |arg| naming_adopt(arg, &OUTBOX))`.
#[must_use]
pub fn naming_adopt(setting: Arg, outbox: &ContextOutbox) -> Arg {
    let adopt = format!("`{} adopt`", outbox.command);
    let names = AdoptPromotion::value_variants().iter().filter_map(|value| {
        let name = value.to_possible_value()?;
        Some(match value {
            AdoptPromotion::Off => {
                name.help(format!("Never: an operator must run {adopt} after each promotion"))
            }
            AdoptPromotion::Synchronous => name,
        })
    });
    let parser = PossibleValuesParser::new(names);
    setting
        .help(format!(
            "Whether to continue publishing after the promotion of a standby without {adopt}"
        ))
        .value_parser(parser.try_map(|name| AdoptPromotion::from_str(&name, false)))
}

#[cfg(test)]
mod tests {
    use clap::{Command, FromArgMatches};

    use super::*;

    static OUTBOX: ContextOutbox =
        ContextOutbox { aggregates: "parcels", key: "id", command: "shop outbox", reconcile: None };

    #[test]
    fn the_help_names_the_command_of_the_program_and_the_values_stay_the_same() {
        let mut command = RelayArgs::augment_args(Command::new("shop"))
            .mut_arg("outbox_adopt_promotion", |setting| naming_adopt(setting, &OUTBOX));
        let help = command.render_long_help().to_string();
        assert_eq!(help.matches("`shop outbox adopt`").count(), 2, "{help}");

        let given = ["shop", "--outbox-adopt-promotion", "synchronous"];
        let matches = command.try_get_matches_from(given).unwrap();
        let args = RelayArgs::from_arg_matches(&matches).unwrap();
        assert_eq!(args.outbox_adopt_promotion, AdoptPromotion::Synchronous);
    }
}
