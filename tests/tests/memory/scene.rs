//! An installation in use by a customer whose user shows a password, and all that is not to be found
//! in memory afterwards.

use std::fs;

use serde_json::{Value, json};
use tresor_proto::{CustomerToken, TenantId};
use tresor_tests::{Needles, Site, Tenant, User, basic};
use tresor_vault::{KnownKey, Passphrase, Theft};

const RECORDS: &str = "/v1/collections/customers/records";
const PASSPHRASE: &str = "a passphrase of tests";
const NEW_PASSWORD: &str = "memoriam: ein anderes pferd";
const WRONG_PASSWORD: &str = "memoriam: ein falsches pferd";

/// Personal values found nowhere else.
const VALUES: [&str; 4] =
    ["Xaverius-Memoriam", "memoriam.q7@example.org", "DE02120300000000202051", "Memoriamweg 77b"];

/// Values that are traded for surrogates, and one that is looked for and not there.
const TRADED: [&str; 3] = ["Tauschwert-Memoriam 88", "4433221100998877", "Suchwert-Memoriam 99"];

/// An installation in use, and what is looked for in its memory.
pub(crate) struct Scene {
    pub(crate) site: Site,
    tenant: Tenant,
    /// What the customer has, and what it opens.
    pub(crate) customers: Needles,
    /// What the vault gives for a password.
    pub(crate) sessions: Needles,
    /// Keys of the server that were replaced.
    pub(crate) replaced: Needles,
}

fn customer_token(tenant: &Tenant, file: &str) -> CustomerToken {
    let text = fs::read_to_string(tenant.directory.join(file)).unwrap();
    CustomerToken::parse(text.trim()).unwrap()
}

impl Scene {
    pub(crate) fn set(engine: &'static str) -> Self {
        let site = Site::start_with_log(engine, "trace");
        let tenant = site.tenant_with_user("burg");
        let [customers, sessions, replaced] = <[Needles; 3]>::default();
        let mut scene = Self { site, tenant, customers, sessions, replaced };
        let values = VALUES.iter().chain(&TRADED);
        values.for_each(|value| scene.customers.add_text(value, value));
        scene.customers.add_text("passphrase", PASSPHRASE);
        for file in ["customer.token", "customer.token.recovery"] {
            let customer_token = customer_token(&scene.tenant, file);
            scene.add_customer_token(file, &customer_token);
        }
        let password_file = scene.tenant.directory.join("planner.one-time");
        let before = User { name: "planner".to_owned(), password_file };
        scene.customers.add_text("one-time password", &before.password());
        let user = scene.tenant.user.as_ref().unwrap();
        scene.customers.add_text("password", &user.password());
        scene.add_session("planner");
        scene
    }

    /// Every session of a user, by what it begins with: the version, the tenant, the user.
    fn add_session(&mut self, user: &str) {
        let tenant = TenantId::parse(&self.tenant.id).unwrap().to_bytes();
        let length = u8::try_from(user.len()).unwrap();
        let name = [&[3, 0, length], user.as_bytes()].concat();
        let begin = [&[1, 0, 1, 1, 2, 0, 16], &tenant[..], &name].concat();
        self.sessions.add_bytes(&format!("session of {user}"), &begin);
    }

    fn add_customer_token(&mut self, name: &str, customer_token: &CustomerToken) {
        let text = customer_token.expose_text();
        let secret = text.rsplit('_').next().unwrap();
        self.customers.add_text(&format!("secret of {name}"), secret);
        self.customers.add_key(&format!("bytes of {name}"), customer_token.expose_secret());
    }

    fn known_keys(&self) -> Vec<KnownKey> {
        let passphrase = zeroize::Zeroizing::new(PASSPHRASE.as_bytes().to_vec());
        let theft = Theft {
            data_dir: &self.site.data_dir(),
            passphrase: &Passphrase::new(passphrase).unwrap(),
            customer_token: Some(&customer_token(&self.tenant, "customer.token")),
        };
        theft.known_keys(TenantId::parse(&self.tenant.id).unwrap()).unwrap()
    }

    /// What the server works with as long as it is unlocked.
    pub(crate) fn servers(&self) -> Needles {
        let mut servers = Needles::default();
        for known in self.known_keys().iter().filter(|known| !known.is_customers) {
            servers.add_key(&known.name, known.key.expose_secret());
        }
        servers
    }

    /// Every way in which values, keys and customer tokens come into the processes.
    pub(crate) fn use_everything(&mut self) {
        self.store();
        let body = ["--json", "{\"kind\":\"read_write\"}"];
        let issued = self.site.curl(&self.tenant, "/v1/keys/tokens", &body);
        let issued = issued.json()["customer_token"].as_str().unwrap().to_owned();
        self.add_customer_token("another", &CustomerToken::parse(&issued).unwrap());
        self.use_passwords();
        self.replace_keys();
        self.store();
        self.read();
        self.trade_and_search();
        for known in self.known_keys().iter().filter(|known| known.is_customers) {
            self.customers.add_key(&known.name, known.key.expose_secret());
        }
    }

    /// Another user logs in: with a one-time password, with its own, with a wrong one.
    fn use_passwords(&mut self) {
        let user = self.site.added_user(&self.tenant, "second", "reader");
        let one_time = user.password();
        for (name, password) in [
            ("second one-time password", one_time.as_str()),
            ("second password", NEW_PASSWORD),
            ("wrong password", WRONG_PASSWORD),
        ] {
            self.customers.add_text(name, password);
        }
        self.add_session("second");
        let file = self.tenant.directory.join("new-password.json");
        fs::write(&file, format!("{{\"new_password\":\"{NEW_PASSWORD}\"}}")).unwrap();
        let data = format!("@{}", file.display());
        let json = ["-H", "Content-Type: application/json", "--data-binary", &data];
        for (path, body, password, status) in [
            ("/v1/limits", &[][..], one_time.as_str(), 403),
            ("/v1/password", &json, &one_time, 204),
            ("/v1/limits", &["--http1.1"], NEW_PASSWORD, 200),
            ("/v1/limits", &["--http2"], NEW_PASSWORD, 200),
            ("/v1/limits", &[], WRONG_PASSWORD, 401),
        ] {
            let header = basic("second", password);
            let client = self.tenant.directory.join("client");
            let answer = self.site.curl_bare(&client, path, body, Some(&header));
            assert_eq!(answer.status, status, "{path}: {}", answer.body);
        }
    }

    /// The cipher key, with the key of the keyring's file, and the root key: older ones are to go.
    fn replace_keys(&mut self) {
        for known in self.known_keys() {
            if ["cipher key", "file key", "root key"].contains(&known.name.as_str()) {
                self.replaced.add_key(&known.name, known.key.expose_secret());
            }
        }
        self.site.operator(&["keys", "rotate-cipher", "--all", "--compromised", "--yes"]).ok();
        self.site.operator(&["keys", "rotate-root", "--yes"]).ok();
    }

    fn store(&self) {
        let [name, mail, iban, street] = VALUES;
        let json = format!(
            "{{\"nr\":\"r1\",\"vorname\":\"{name}\",\"mail\":\"{mail}\",\"iban\":\"{iban}\",\
             \"strasse\":\"{street}\"}}\n"
        );
        let csv = format!("nr,vorname,mail,iban,strasse\nr2,{name},{mail},{iban},{street}\n");
        let screen = "/v1/screen?collection=customers";
        let path = format!("{RECORDS}?id_field=nr");
        for (path, media, body, status) in [
            (path.as_str(), "application/json", &json, 201),
            (&path, "application/x-ndjson", &json, 200),
            (&path, "text/csv", &csv, 200),
            (screen, "text/csv", &csv, 200),
        ] {
            for version in ["--http1.1", "--http2"] {
                let file = self.tenant.directory.join("body");
                fs::write(&file, body).unwrap();
                let data = format!("@{}", file.display());
                let media = format!("Content-Type: {media}");
                let arguments = ["-H", &media, "--data-binary", &data, version];
                let stored = self.site.curl(&self.tenant, path, &arguments);
                assert_eq!(stored.status, status, "{path}, {media}: {}", stored.body);
            }
        }
    }

    /// Trades values for surrogates of each kind and back, and looks for records.
    fn trade_and_search(&self) {
        let [text, digits, absent] = TRADED;
        let policy = self.tenant.directory.join("policy.yaml");
        fs::write(&policy, "fields:\n  name: { info_type: LAST_NAME, searchable: exact }\n")
            .unwrap();
        let put = ["collection", "put", "people", "--tenant", "burg", "-f"];
        self.site.operator(&[&put[..], &[policy.to_str().unwrap()]].concat()).ok();
        let stored = self.post("/v1/collections/people/records", &json!({ "name": text }));
        assert!(stored["id"].is_string(), "{stored}");
        let items = json!([
            { "value": text, "info_type": "FREE_TEXT" },
            { "value": text, "info_type": "FREE_TEXT", "kind": "deterministic" },
            { "value": digits, "info_type": "METER_ID", "kind": "format-preserving",
              "format": "digits" },
        ]);
        let made = self.post("/v1/tokenize", &json!({ "items": items }));
        let made = made["results"].as_array().unwrap().iter();
        let items: Vec<_> = made.map(|it| json!({ "surrogate": it["surrogate"] })).collect();
        let of_digits = json!({ "info_type": "METER_ID", "format": "digits", "items": items });
        for (reveal, shown) in [("masked", ""), ("plain", text)] {
            let mut body = of_digits.clone();
            body["reveal"] = reveal.into();
            let back = self.post("/v1/detokenize", &body).to_string();
            assert!(back.contains(shown) && !back.contains("problem"), "{back}");
        }
        for value in [text, absent] {
            let body = json!({ "terms": [{ "field": "name", "value": value }], "reveal": "plain" });
            let found = self.post("/v1/collections/people/records:search", &body).to_string();
            assert_eq!(found.contains(text), value == text, "{found}");
        }
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let file = self.tenant.directory.join("body");
        fs::write(&file, body.to_string()).unwrap();
        let data = format!("@{}", file.display());
        let json = ["-H", "Content-Type: application/json", "--data-binary", &data];
        self.site.curl(&self.tenant, path, &json).json()
    }

    pub(crate) fn read(&self) {
        for reveal in ["plain", "masked"] {
            for path in ["", "/r1", "/r2"] {
                let path = format!("{RECORDS}{path}?reveal={reveal}");
                let read = self.site.curl(&self.tenant, &path, &[]);
                assert_eq!(read.status, 200, "{}", read.body);
            }
        }
    }
}
