//! The embedded servers do not depend on the environment, and their failure is reported.

use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::client::Client;
use crate::instance::Instance;
use crate::sandbox::Sandbox;

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_in_the_environment_is_not_used_for_this_host() {
    let sandbox = Sandbox::new("proxy");
    let mut command = sandbox.command();
    for variable in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"] {
        command.env(variable, "http://127.0.0.1:9");
    }
    let instance = Instance::start(&mut command);
    let client = Client::new(&sandbox);
    let order = client.place("Ada").await;
    client.wait_until_arrived(&[order]).await;
    instance.stop();
}

#[test]
fn settings_of_other_postgres_servers_are_not_used() {
    let sandbox = Sandbox::new("pgoptions");
    let options = "-c default_transaction_read_only=on";
    let (instance, _) = Instance::spawn(sandbox.command().env("PGOPTIONS", options));
    let (code, stderr) = instance.wait_for_exit(Duration::from_secs(20));
    assert_eq!((code, stderr.len()), (Some(1), 1), "{stderr:#?}");
    assert!(stderr[0].contains("PGOPTIONS is wrong: it would change"), "{stderr:?}");

    let mut command = sandbox.command();
    command.env("PGDATA", "/nowhere").env("PGPORT", "1").env("PGHOST", "nowhere.example");
    Instance::start(&mut command).stop();
}

#[test]
fn the_end_of_the_embedded_postgres_ends_the_program_with_one_line() {
    let sandbox = Sandbox::new("ended");
    let instance = Instance::start(&mut sandbox.command());
    let pid = fs::read_to_string(sandbox.home.join("postgres/postmaster.pid")).unwrap();
    let pid = pid.lines().next().unwrap();
    assert!(Command::new("kill").args(["-s", "KILL", pid]).status().unwrap().success());
    let (code, stderr) = instance.wait_for_exit(Duration::from_secs(30));
    assert_eq!(code, Some(1), "{stderr:#?}");
    let last = stderr.last().unwrap();
    assert!(last.starts_with("error: the embedded Postgres has ended; see "), "{last}");
    assert!(last.ends_with("start again, the data are kept"), "{last}");
    Instance::start(&mut sandbox.command()).stop();
}
