//! Mixed load on a vault, with a journal of what was acknowledged (`clients/load.py`).

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use serde_json::Value;

use crate::{Random, Site, Tenant, repository, tool};

/// A Python process; one for a whole test, so that its journal spans all that happens.
#[derive(Debug)]
pub struct Load {
    /// Whose records it writes, as the service `billing` and through the edge.
    pub tenant: Tenant,
    child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Load {
    /// Starts it with a tenant of its own; the vault wants a restart before it knows `billing`.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(site: &Site, random: &mut Random) -> Self {
        let journal = site.path("journal");
        let arguments = |tenant: &Tenant| vec![tenant.id.clone().into(), journal];
        Self::play(site, random, ("load.py", &[site.data_plane(), edge(site)]), arguments)
    }

    /// Starts one that replaces all keys meanwhile, again and again (`clients/storm.py`).
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn storm(site: &Site, random: &mut Random) -> Self {
        let servers = [site.data_plane(), site.control_plane(), edge(site)];
        let arguments =
            |tenant: &Tenant| vec![tenant.id.clone().into(), tenant.directory.join("client")];
        Self::play(site, random, ("storm.py", &servers), arguments)
    }

    fn play(
        site: &Site,
        random: &mut Random,
        (program, servers): (&str, &[String]),
        arguments: impl FnOnce(&Tenant) -> Vec<PathBuf>,
    ) -> Self {
        let tenant = site.tenant("burg");
        site.write_configs(&[&tenant.id]);
        let mut command = Command::new(tool("python3"));
        command.arg(repository().join("tests/clients").join(program)).args(servers);
        command.arg(repository().join("proto")).arg(site.path("ca")).arg(site.path("stubs"));
        command.args(arguments(&tenant)).arg(random.number().to_string());
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.expect("the load");
        let mut commands = child.stdin.take().expect("its input");
        let answers = BufReader::new(child.stdout.take().expect("its output"));
        writeln!(commands, "{}", tenant.customer_token()).expect("it reads");
        Self { tenant, child, commands, answers }
    }

    /// Gives it a command and waits for its answer.
    ///
    /// # Panics
    /// When it has found a mistake.
    pub fn tell(&mut self, command: &str) -> String {
        writeln!(self.commands, "{command}").expect("it reads");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("it answers");
        assert!(!answer.is_empty() && answer != "failed\n", "{command}: see standard error");
        answer.trim().to_owned()
    }

    /// Gives it a command that is answered with counts.
    ///
    /// # Panics
    /// When it has found a mistake, or answers something else.
    pub fn count(&mut self, command: &str) -> Value {
        serde_json::from_str(&self.tell(command)).expect("counts")
    }
}

fn edge(site: &Site) -> String {
    site.url("").trim_start_matches("https://").to_owned()
}

impl Drop for Load {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
