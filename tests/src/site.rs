//! A whole installation in a directory of its own.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{Answer, Process, Ran, Tenant, User, binary, free_port, run};

/// How long a process may take to come up.
const START_MAX: Duration = Duration::from_secs(60);

/// A vault process, an edge process, and what their operator has.
#[derive(Debug)]
pub struct Site {
    directory: TempDir,
    ports: Ports,
    engine: &'static str,
    log_level: &'static str,
    vault_variable: Option<(&'static str, PathBuf)>,
    vault: Option<Process>,
    edge: Option<Process>,
}

#[derive(Clone, Copy, Debug)]
struct Ports {
    data: u16,
    control: u16,
    vault_health: u16,
    edge: u16,
    edge_health: u16,
}

impl Site {
    /// Builds an installation and starts both processes, with logs at `trace`.
    ///
    /// # Panics
    /// When anything of it fails.
    #[must_use]
    pub fn start(engine: &'static str) -> Self {
        Self::start_with_log(engine, "trace")
    }

    /// Builds an installation and starts both processes, with logs at a level.
    ///
    /// # Panics
    /// When anything of it fails.
    #[must_use]
    pub fn start_with_log(engine: &'static str, log_level: &'static str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let ports = Ports {
            data: free_port(),
            control: free_port(),
            vault_health: free_port(),
            edge: free_port(),
            edge_health: free_port(),
        };
        let mut site = Self {
            directory,
            ports,
            engine,
            log_level,
            vault_variable: None,
            vault: None,
            edge: None,
        };
        site.tresor(&["ca", "init", "--dir", "ca"]).ok();
        for name in ["internal-api", "edge", "billing"] {
            let names = ["--dns", "localhost", "--ip", "127.0.0.1"];
            let issue = ["ca", "issue", "service", name, "--dir", "ca"];
            site.tresor(&[&issue[..], &names[..]].concat()).ok();
        }
        site.tresor(&["ca", "issue", "operator", "operator", "--dir", "ca"]).ok();
        site.write_private("passphrase", "a passphrase of tests\n");
        site.write_private("denied", "# nobody yet\n");
        site.write_configs(&[]);
        site.start_vault();
        site.start_edge();
        site
    }

    /// A path in its directory.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file in its directory.
    ///
    /// # Panics
    /// When it cannot.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a file");
    }

    /// What a file in its directory holds.
    ///
    /// # Panics
    /// When it cannot be read.
    #[must_use]
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("a file")
    }

    /// The vault's data directory.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.path("data")
    }

    /// The vault process.
    ///
    /// # Panics
    /// When it was not started.
    pub fn vault(&mut self) -> &mut Process {
        self.vault.as_mut().expect("a running vault")
    }

    /// The vault's process id.
    ///
    /// # Panics
    /// When it was not started.
    #[must_use]
    pub fn vault_id(&self) -> u32 {
        self.vault.as_ref().expect("a running vault").id()
    }

    /// The edge process.
    ///
    /// # Panics
    /// When it was not started.
    pub fn edge(&mut self) -> &mut Process {
        self.edge.as_mut().expect("a running edge")
    }

    /// `host:port` of the vault's data plane.
    #[must_use]
    pub fn data_plane(&self) -> String {
        format!("localhost:{}", self.ports.data)
    }

    /// The URL of one of the vault's probes.
    #[must_use]
    pub fn vault_health(&self, probe: &str) -> String {
        format!("http://127.0.0.1:{}/{probe}", self.ports.vault_health)
    }

    /// The URL of one of the edge's probes.
    #[must_use]
    pub fn edge_health(&self, probe: &str) -> String {
        format!("http://127.0.0.1:{}/{probe}", self.ports.edge_health)
    }

    /// `host:port` of the vault's control plane.
    #[must_use]
    pub fn control_plane(&self) -> String {
        format!("localhost:{}", self.ports.control)
    }

    /// The URL of the external API.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.ports.edge)
    }

    /// Starts the vault process and waits until it serves.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start_vault(&mut self) {
        self.launch_vault();
        self.wait_for_vault();
    }

    /// Waits until the vault process serves.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn wait_for_vault(&mut self) {
        let port = self.ports.vault_health;
        wait_until_ready(port, self.vault());
    }

    /// Starts the vault process and waits until it answers, locked or not.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn launch_vault_and_wait_until_it_answers(&mut self) {
        self.launch_vault();
        let port = self.ports.vault_health;
        wait_until(port, "healthz", self.vault());
    }

    /// Gives the vault process a variable of its environment, from the next start on.
    pub fn set_vault_variable(&mut self, name: &'static str, value: &Path) {
        self.vault_variable = Some((name, value.to_owned()));
    }

    /// Starts the vault process and does not wait.
    pub fn launch_vault(&mut self) {
        self.launch(&mut Command::new(binary("internal-api")));
    }

    /// Starts the vault process where some of its system calls fail (strace's `inject`), and waits
    /// until it serves.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start_vault_with_faults(&mut self, calls: &str, inject: &str) {
        let mut command = Command::new("strace");
        // Traced from aside, so that the process started is the vault.
        command.args(["-D", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null"]);
        command.args(["-e", &format!("trace={calls}"), "-e", &format!("inject={calls}:{inject}")]);
        self.start_vault_by(&mut command);
    }

    /// Has another program start the vault process, and waits until it serves.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start_vault_by(&mut self, command: &mut Command) {
        self.launch(command.arg(binary("internal-api")));
        self.wait_for_vault();
    }

    fn launch(&mut self, command: &mut Command) {
        command.arg("--config").arg(self.path("internal-api.toml"));
        command.envs(self.vault_variable.clone());
        self.vault = Some(Process::start(command, &self.path("internal-api.log")));
    }

    /// Starts the edge process and waits until it serves.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start_edge(&mut self) {
        let mut command = Command::new(binary("external-api"));
        command.arg("--config").arg(self.path("external-api.toml"));
        self.edge = Some(Process::start(&mut command, &self.path("external-api.log")));
        let port = self.ports.edge_health;
        wait_until_ready(port, self.edge());
    }

    /// Writes both configuration files; `services` are tenants that `billing` may call for.
    pub fn write_configs(&self, services: &[&str]) {
        let trust = |branch: &str| {
            format!(
                "authorities = \"ca/{branch}.pem\"\nrevocation_lists = [\"ca/{branch}.crl\"]\n\
                 denied_certificates = \"denied\"\n"
            )
        };
        let own = |name: &str| {
            format!("certificate_chain = \"ca/{name}.pem\"\nprivate_key = \"ca/{name}.key\"\n")
        };
        let Ports { data, control, vault_health, edge, edge_health } = self.ports;
        let tenants = services.iter().map(|id| format!("\"{id}\"")).collect::<Vec<_>>().join(", ");
        let billing = match tenants.as_str() {
            "" => String::new(),
            tenants => format!(
                "[[services]]\nname = \"billing\"\nrole = \"service\"\ntenants = [{tenants}]\n\
                 methods = [\"RecordService/*\", \"SurrogateService/*\", \"CollectionService/*\"]\n"
            ),
        };
        let vault = format!(
            "data_dir = \"data\"\nengine = \"{}\"\nlisten = \"127.0.0.1:{data}\"\n\
             trust_domain = \"tresor.local\"\n[seal]\npassphrase_file = \"passphrase\"\n\
             [control]\nlisten = \"127.0.0.1:{control}\"\n{}[clients]\n{}[health]\n\
             listen = \"127.0.0.1:{vault_health}\"\n[tls]\n{}{}[log]\nlevel = \"{}\"\n\
             [[services]]\nname = \"edge\"\nrole = \"edge\"\n\
             [[services]]\nname = \"operator\"\nrole = \"operator\"\n{billing}",
            self.engine,
            trust("operators"),
            trust("clients"),
            own("internal-api"),
            trust("services"),
            self.log_level,
        );
        self.write_private("internal-api.toml", &vault);
        let edge = format!(
            "listen = \"127.0.0.1:{edge}\"\nhealth_listen = \"127.0.0.1:{edge_health}\"\n\
             [tls]\n{}{}[vault]\nendpoint = \"https://localhost:{data}\"\n\
             [vault.tls]\n{}authorities = \"ca/services.pem\"\n[log]\nlevel = \"{}\"\n",
            own("edge"),
            trust("clients"),
            own("edge"),
            self.log_level,
        );
        self.write_private("external-api.toml", &edge);
    }

    /// Writes a file only its owner may read.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write_private(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a file");
        let mode = fs::Permissions::from_mode(0o600);
        fs::set_permissions(self.path(name), mode).expect("its mode");
    }

    /// Runs `tresor` in its directory.
    #[must_use]
    pub fn tresor(&self, arguments: &[&str]) -> Ran {
        run(&mut self.tresor_command(arguments), "")
    }

    fn tresor_command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary("tresor"));
        command.args(arguments).current_dir(self.directory.path());
        command
    }

    /// Runs `tresor` as the operator.
    #[must_use]
    pub fn operator(&self, arguments: &[&str]) -> Ran {
        let server = format!("https://localhost:{}", self.ports.control);
        run(&mut self.tresor_at(&server, "ca/operator", arguments), "")
    }

    /// Runs `tresor` as a tenant's customer, with the customer token.
    #[must_use]
    pub fn customer(&self, tenant: &Tenant, arguments: &[&str]) -> Ran {
        run(&mut self.customer_command(tenant, arguments), "")
    }

    /// `tresor` as a tenant's customer, with the customer token, to be started.
    ///
    /// # Panics
    /// When a path is no text.
    #[must_use]
    pub fn customer_command(&self, tenant: &Tenant, arguments: &[&str]) -> Command {
        let token_file = tenant.directory.join("customer.token");
        let with_token = ["--customer-token-file", token_file.to_str().expect("a path")];
        self.customer_bare(tenant, &[arguments, &with_token[..]].concat())
    }

    /// `tresor` as a tenant's customer, with its user if it has one, to be started.
    fn customer_bare(&self, tenant: &Tenant, arguments: &[&str]) -> Command {
        let client = tenant.directory.join("client");
        let mut command =
            self.tresor_at(&self.url(""), client.to_str().expect("a path"), arguments);
        if let Some(User { name, password_file }) = &tenant.user {
            command.args(["--user", name, "--password-file"]).arg(password_file);
        }
        command
    }

    fn tresor_at(&self, server: &str, identity: &str, arguments: &[&str]) -> Command {
        let (cert, key) = (format!("{identity}.pem"), format!("{identity}.key"));
        let connection = ["--server", server, "--ca", "ca/ca.pem", "--cert", &cert, "--key", &key];
        self.tresor_command(&[arguments, &connection[..]].concat())
    }

    /// Registers a tenant, enrols its customer and gives it the collection `customers`.
    ///
    /// # Panics
    /// When anything of it fails.
    #[must_use]
    pub fn tenant(&self, name: &str) -> Tenant {
        let tenant = self.registered_tenant(name);
        self.enrol(&tenant, &[]);
        tenant
    }

    /// The same for a tenant that requires a password: its user `planner` is an admin.
    ///
    /// # Panics
    /// When anything of it fails.
    #[must_use]
    pub fn tenant_with_user(&self, name: &str) -> Tenant {
        let mut tenant = self.registered(name, &["127.0.0.0/8"], "required");
        let user = self.added_user(&tenant, "planner", "admin");
        let password_file = tenant.directory.join("password");
        self.write_private(
            &format!("{name}/password"),
            &format!("{name}: korrekt pferd batterie\n"),
        );
        tenant.user = Some(user);
        self.enrol(&tenant, &["--new-password-file", password_file.to_str().expect("a path")]);
        tenant.user = Some(User { name: "planner".to_owned(), password_file });
        tenant
    }

    /// Adds a user to a tenant; it has a one-time password.
    ///
    /// # Panics
    /// When that fails.
    #[must_use]
    pub fn added_user(&self, tenant: &Tenant, name: &str, role: &str) -> User {
        let password_file = tenant.directory.join(format!("{name}.one-time"));
        let file = password_file.to_str().expect("a path");
        let add = ["tenant", "user", "add", &tenant.name, name, "--role", role];
        self.operator(&[&add[..], &["--password-file", file]].concat()).ok();
        User { name: name.to_owned(), password_file }
    }

    /// Enrols a tenant's customer and gives it the collection `customers`.
    fn enrol(&self, tenant: &Tenant, more: &[&str]) {
        let code_file = tenant.directory.join("code");
        let token_file = tenant.directory.join("customer.token");
        let files = [&code_file, &token_file].map(|path| path.to_str().expect("a path"));
        let enrol = ["enrol", "--code-file", files[0], "--token-file", files[1]];
        run(&mut self.customer_bare(tenant, &[&enrol[..], more].concat()), "").ok();
        self.operator(&["collection", "put", "customers", "--tenant", &tenant.name]).ok();
    }

    /// Registers a tenant that requires no password, and issues its customer's certificate.
    ///
    /// # Panics
    /// When anything of it fails.
    #[must_use]
    pub fn registered_tenant(&self, name: &str) -> Tenant {
        self.registered_tenant_from(name, &["127.0.0.0/8"])
    }

    /// The same for a tenant whose clients come from these addresses.
    ///
    /// # Panics
    /// When anything of it fails.
    #[must_use]
    pub fn registered_tenant_from(&self, name: &str, addresses: &[&str]) -> Tenant {
        self.registered(name, addresses, "not-required")
    }

    fn registered(&self, name: &str, addresses: &[&str], password: &str) -> Tenant {
        let directory = self.path(name);
        fs::create_dir(&directory).expect("a directory");
        let code_file = directory.join("code");
        let code_file = code_file.to_str().expect("a path");
        let mut create = vec!["tenant", "create", name, "--code-file", code_file];
        create.extend(addresses.iter().flat_map(|address| ["--allow", address]));
        let rule = ["--password", password, "--output", "json"];
        self.operator(&[&create[..], &rule].concat()).ok();
        let shown = self.operator(&["tenant", "show", name, "--output", "json"]).ok().json();
        let id = shown["id"].as_str().expect("an id").to_owned();
        let out = directory.to_str().expect("a path");
        let issue = ["ca", "issue", "client", "client", "--tenant", &id, "--dir", "ca"];
        self.tresor(&[&issue[..], &["--out", out]].concat()).ok();
        Tenant { id, name: name.to_owned(), directory, user: None }
    }

    /// Calls the external API with curl, as a tenant's customer, with the customer token and the
    /// user's password.
    #[must_use]
    pub fn curl(&self, tenant: &Tenant, path: &str, arguments: &[&str]) -> Answer {
        let client = tenant.directory.join("client");
        self.curl_bare(&client, path, arguments, Some(&tenant.headers()))
    }

    /// Calls the external API with curl, under any certificate, with any headers, one a line.
    #[must_use]
    pub fn curl_bare(
        &self,
        identity: &Path,
        path: &str,
        arguments: &[&str],
        headers: Option<&str>,
    ) -> Answer {
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--max-time", "60", "--cacert"]);
        command.arg(self.path("ca/ca.pem"));
        command.arg("--cert").arg(identity.with_extension("pem"));
        command.arg("--key").arg(identity.with_extension("key"));
        command.args(["--write-out", "\n%{http_code}"]).args(arguments).arg(self.url(path));
        // Headers come from standard input: what is in the arguments is seen by all.
        command.args(["--header", "@-"]);
        let ran = run(&mut command, headers.unwrap_or_default());
        let (body, status) = ran.stdout.rsplit_once('\n').unwrap_or(("", "0"));
        let status = status.parse().unwrap_or(0);
        Answer { status, curl: ran.code, body: body.to_owned() }
    }
}

fn wait_until_ready(port: u16, process: &mut Process) {
    wait_until(port, "readyz", process);
}

fn wait_until(port: u16, probe: &str, process: &mut Process) {
    let begun = Instant::now();
    let url = format!("http://127.0.0.1:{port}/{probe}");
    loop {
        let asked =
            run(Command::new("curl").args(["--silent", "--fail", "--max-time", "5", &url]), "");
        if asked.code == 0 {
            return;
        }
        assert!(process.is_running(), "it ended: {}", process.log());
        assert!(begun.elapsed() < START_MAX, "it does not come up: {}", process.log());
        std::thread::sleep(Duration::from_millis(50));
    }
}
