//! `docs/operations/access.md`, as it stands: an operator and a customer follow it command by command.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{env, fs, path::Path, process::Command};

use tresor_proto::RefusalReason;
use tresor_tests::{Ran, Site, binary, repository, run};

fn document() -> String {
    fs::read_to_string(repository().join("docs/operations/access.md")).unwrap()
}

/// The blocks of a section that are written in a language.
fn blocks(section: &str, language: &str) -> Vec<String> {
    let begin = format!("```{language}\n");
    let document = document();
    let section = document.split("\n## ").find(|part| part.starts_with(section)).unwrap();
    let blocks = section.split(&begin).skip(1);
    blocks.map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

/// Somebody's shell, in a directory with a profile.
struct Desk<'a> {
    directory: &'a Path,
    tenant: String,
}

impl Desk<'_> {
    fn run(&self, command: &str) -> Ran {
        let tresor = binary("tresor");
        let path = env::join_paths(
            [tresor.parent().unwrap().to_owned()]
                .into_iter()
                .chain(env::split_paths(&env::var_os("PATH").unwrap())),
        );
        let mut shell = Command::new("sh");
        shell.args(["-euc", command]).current_dir(self.directory);
        run(shell.env("PATH", path.unwrap()).env("TENANT", &self.tenant), "")
    }

    /// Runs all commands of a block, each by itself.
    fn follow(&self, block: &str) -> usize {
        for command in block.lines() {
            let ran = self.run(command);
            assert_eq!(ran.code, 0, "{command}\n{}{}", ran.stdout, ran.stderr);
        }
        block.lines().filter(|line| line.starts_with("tresor ")).count()
    }
}

/// Writes the customer's profile, and what the operator handed over.
fn hand_over(site: &Site, profile: &str) {
    fs::create_dir(site.path("customer")).unwrap();
    let profile = profile.replace("https://api.example:8443", &site.url(""));
    site.write_private("customer/tresor.toml", &profile);
    for (from, to) in [
        ("ca/ca.pem", "ca.pem"),
        ("for-burg/planner.pem", "planner.pem"),
        ("for-burg/planner.key", "planner.key"),
        ("burg.code", "burg.code"),
        ("burg.one-time", "burg.one-time"),
    ] {
        fs::copy(site.path(from), site.path("customer").join(to)).unwrap();
    }
    fs::write(site.path("customer/customers.csv"), "auftrag;vorname\nA-1;Anna\nA-2;Bert\n")
        .unwrap();
}

#[test]
fn the_commands_of_the_document_work_as_they_stand() {
    let site = Site::start("sled");
    let onboarding = "Onboard a customer in five commands";
    let profiles = blocks(onboarding, "toml");
    let server = format!("https://{}", site.control_plane());
    let profile = profiles[0].replace("https://vault.example:7444", &server);
    site.write_private("tresor.toml", &profile);
    fs::write(site.path("customers.yaml"), &blocks(onboarding, "yaml")[0]).unwrap();
    let root = site.path("");
    let mut operator = Desk { directory: &root, tenant: String::new() };
    let commands = blocks(onboarding, "sh");

    // The only thing that differs: here everybody comes from the loopback.
    let four = commands[0].replace("192.0.2.0/24", "127.0.0.0/8");
    let (create, others) = four.split_once('\n').unwrap();
    let mut count = operator.follow(create);
    let shown = operator.run("tresor tenant show stadtwerke-burg --output json").ok().json();
    operator.tenant = shown["id"].as_str().unwrap().to_owned();
    count += operator.follow(others);

    hand_over(&site, &profiles[1]);
    let directory = site.path("customer");
    let customer = Desk { directory: &directory, tenant: String::new() };
    count += customer.follow(&commands[1]);
    assert_eq!(count, 5, "as the title says");
    customer.follow(&commands[2]);
    let listed = customer.run("tresor list --collection customers --reveal plain").ok().stdout;
    assert!(listed.contains("Anna") && listed.contains("Bert"), "{listed}");
    assert!(directory.join("customer.token.recovery").exists());

    let passwords = blocks("Passwords and roles", "sh");
    customer.follow(&passwords[0]);
    customer.run("tresor list --collection customers").ok();
    operator.follow(&passwords[1]);
    operator.follow(&blocks("Addresses and proxies", "sh")[0]);
    customer.run("tresor list --collection customers").ok();
    let machines = blocks("A new machine, and a lost one", "sh");
    machines.iter().for_each(|block| {
        operator.follow(block);
    });
    let refused = customer.run("tresor list --collection customers --output json");
    assert_eq!(refused.code, 1, "revoked, and its password reset: {}", refused.stdout);
}

#[test]
fn every_reason_of_a_refusal_is_explained() {
    let document = document();
    let (_, explained) = document.split_once("## What a refusal means").unwrap();
    for reason in RefusalReason::all() {
        assert!(explained.contains(&format!("`{}`", reason.as_str())), "{reason}");
    }
}
