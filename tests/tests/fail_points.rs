//! Every write, sync and rename of keyrings and of the seal file fails, or is the last thing the
//! vault process does: afterwards the keys are the old ones or the new ones, everything is readable
//! and every customer token works as it was answered.
//!
//! The calls are taken from a run without faults, so all of them have their turn in the long run;
//! by default a few are drawn. After an error the same process goes on and meets the next fault.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
#![allow(clippy::print_stdout, reason = "what was tried is shown by the runner")]

use std::{fs, ops::RangeInclusive, path::PathBuf};

use serde_json::Value;
use tresor_tests::{
    Answer, Fault, Random, Site, Strace, SystemCall, Tenant, is_long, system_calls, with_own_mounts,
};

const RECORDS: &str = "/v1/collections/customers/records";
const TOKENS: &str = "/v1/keys/tokens";
const FAULTS: [Fault; 3] = [Fault::Error("EIO"), Fault::Error("ENOSPC"), Fault::Kill];
/// Fail points of one operation by default.
const POINTS: usize = 2;
/// Records that are there from the beginning.
const IDS: [&str; 3] = ["r1", "r2", "r3"];

/// A change of keys, and how to tell whether it was made.
struct Operation {
    name: &'static str,
    /// Makes it possible.
    prepare: fn(&mut Ground),
    /// Does it; whether it was answered as done.
    act: fn(&mut Ground) -> bool,
    /// A number that it changes by `step`; nothing between old and new is allowed but what lies
    /// between the numbers.
    state: fn(&Ground) -> i64,
    step: i64,
    /// What has to be so, given whether it was answered as done.
    check: fn(&Ground, bool),
}

/// A site whose keys are changed.
struct Ground {
    site: Site,
    tenant: Tenant,
    /// A customer token that the operations are about.
    other: Option<Tenant>,
    random: Random,
    writes: u64,
}

impl Ground {
    fn build(engine: &'static str) -> Self {
        let random = Random::of_this_run();
        let mut site = Site::start_with_log(engine, "info");
        site.name_spare_seal();
        assert_eq!(site.vault().stop(), 0);
        site.start_vault();
        let tenant = site.tenant("burg");
        let ground = Self { site, tenant, other: None, random, writes: 0 };
        IDS.iter().for_each(|id| assert_eq!(ground.put(&ground.tenant, id), 201));
        ground
    }

    /// Calls the customer's door until the vault is there.
    fn customer(&self, tenant: &Tenant, path: &str, arguments: &[&str]) -> Answer {
        let ask = || self.site.curl(tenant, path, arguments);
        let asked = (0..50).map(|_| ask()).find(|answer| ![0, 503].contains(&answer.status));
        asked.unwrap_or_else(ask)
    }

    fn put(&self, tenant: &Tenant, id: &str) -> u16 {
        let body = format!("{{\"nr\":\"{id}\",\"vorname\":\"Anna\",\"mail\":\"a@example.org\"}}");
        let path = format!("{RECORDS}?id_field=nr");
        self.customer(tenant, &path, &["--json", &body]).status
    }

    fn get(&self, tenant: &Tenant, id: &str) -> u16 {
        let answer = self.customer(tenant, &format!("{RECORDS}/{id}?reveal=plain"), &[]);
        if answer.status == 200 {
            assert_eq!(answer.json()["record"]["vorname"], "Anna");
        }
        answer.status
    }

    fn operator(&self, arguments: &[&str]) -> bool {
        self.site.operator(&[arguments, &["--output", "json"]].concat()).code == 0
    }

    fn status(&self) -> Value {
        let status = ["keys", "status", "--tenant", "burg", "--output", "json"];
        self.site.operator(&status).ok().json()["tenants"][0].take()
    }

    /// The newest key of a kind and class.
    fn newest(&self, kind: &str, class: &Value) -> Value {
        let status = self.status();
        let keys = status["keys"].as_array().unwrap().iter();
        let of_kind = keys.filter(|key| key["key"] == kind && key["class"] == *class);
        of_kind.max_by_key(|key| key["version"].as_i64()).unwrap().clone()
    }

    fn tokens(&self) -> Vec<Value> {
        let listed = self.customer(&self.tenant, TOKENS, &[]).json();
        listed["customer_tokens"].as_array().unwrap().clone()
    }

    fn issue(&self, name: &str) -> Option<Tenant> {
        let directory = self.tenant.directory.join(name);
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir(&directory).unwrap();
        for file in ["client.pem", "client.key"] {
            fs::copy(self.tenant.directory.join(file), directory.join(file)).unwrap();
        }
        let body = format!("{{\"kind\":\"read_write\",\"name\":\"{name}\"}}");
        let answer = self.site.curl(&self.tenant, TOKENS, &["--json", &body]);
        let text = (answer.status == 201).then(|| answer.json()["customer_token"].clone())?;
        fs::write(directory.join("customer.token"), text.as_str().unwrap()).unwrap();
        Some(Tenant { directory, ..self.tenant.clone() })
    }

    fn revoke(&self, id: &str) -> u16 {
        let path = format!("{TOKENS}/{id}:revoke");
        self.site.curl(&self.tenant, &path, &["--json", "{}"]).status
    }

    /// Everything is readable, and more can be stored.
    fn assert_whole(&mut self) {
        self.writes += 1;
        let id = format!("w{}", self.writes % 5);
        assert!([200, 201].contains(&self.put(&self.tenant, &id)));
        for id in IDS.iter().copied().chain([id.as_str()]) {
            assert_eq!(self.get(&self.tenant, id), 200, "{id} is lost");
        }
    }

    /// The files that are replaced, and their directories, which are synced.
    fn key_files(&self) -> Vec<PathBuf> {
        let keyring = format!("keyrings/{}.new", self.tenant.id);
        let files = [&keyring, "system/keyring.new", "system/seal.new", "keyrings", "system"];
        files.map(|file| self.site.data_dir().join(file)).into()
    }

    /// Does an operation while it is looked at, with or without a fault. Gives what was answered
    /// and what was seen.
    fn act(
        &mut self,
        operation: &Operation,
        fault: Option<(&SystemCall, Fault)>,
    ) -> (bool, String) {
        let (process, files) = (self.site.vault().id(), self.key_files());
        let strace = Strace::attach(process, &files, &self.site.path("strace"), fault);
        let is_done = (operation.act)(self);
        (is_done, strace.detach())
    }

    fn restart(&mut self) {
        self.site.vault().kill();
        self.site.start_vault();
    }
}

impl Operation {
    /// Its fail points: every call of runs without faults, each with every fault. What only one of
    /// two runs did, the vault did by itself meanwhile, such as a look at the seals.
    fn points(&self, ground: &mut Ground) -> Vec<(SystemCall, Fault)> {
        let (calls, others) = (self.calls(ground), self.calls(ground));
        let calls = calls.into_iter().filter(|call| others.contains(call));
        let with_faults = |call: SystemCall| FAULTS.map(|fault| (call.clone(), fault));
        calls.flat_map(with_faults).collect()
    }

    /// The calls of a run without faults.
    fn calls(&self, ground: &mut Ground) -> Vec<SystemCall> {
        (self.prepare)(ground);
        let (is_done, seen) = ground.act(self, None);
        assert!(is_done, "{}: {seen}", self.name);
        let calls = system_calls(&seen);
        for name in ["openat", "write", "fsync", "rename"] {
            assert!(calls.iter().any(|call| call.name == name), "{}: no {name}: {seen}", self.name);
        }
        calls
    }

    /// Meets a fault; after an error the same process goes on. Gives the states that are allowed
    /// from then on, and what happened.
    fn meet(
        &self,
        ground: &mut Ground,
        (call, fault): &(SystemCall, Fault),
    ) -> (RangeInclusive<i64>, (bool, String)) {
        (self.prepare)(ground);
        let old = (self.state)(ground);
        let (is_done, seen) = ground.act(self, Some((call, *fault)));
        let met = format!("{}, {fault:?} at {call:?}, answered {is_done}: {seen}", self.name);
        match fault {
            Fault::Kill => assert!(!ground.site.vault().is_running(), "not killed: {met}"),
            Fault::Error(_) => assert!(seen.contains("(INJECTED)"), "not met: {met}"),
        }
        let new = old + self.step;
        let allowed = if is_done { new..=new } else { old.min(new)..=old.max(new) };
        if *fault == Fault::Kill {
            ground.site.start_vault();
        }
        self.assert_settled(ground, &allowed, (is_done, &met));
        (allowed, (is_done, met))
    }

    /// Meets a fault, which now and then is the last one before the end of the process.
    fn meet_and_restart(&self, ground: &mut Ground, point: &(SystemCall, Fault)) {
        let (allowed, (is_done, met)) = self.meet(ground, point);
        if point.1 == Fault::Kill || ground.random.within(0..3) == 0 {
            ground.restart();
            self.assert_settled(ground, &allowed, (is_done, &met));
        }
    }

    fn assert_settled(
        &self,
        ground: &mut Ground,
        allowed: &RangeInclusive<i64>,
        (is_done, met): (bool, &str),
    ) {
        let state = (self.state)(ground);
        assert!(allowed.contains(&state), "{state} is not in {allowed:?}: {met}");
        ground.assert_whole();
        (self.check)(ground, is_done);
    }
}

const ROTATE_CIPHER: Operation = Operation {
    name: "rotate-cipher",
    prepare: |_| {},
    act: |ground| ground.operator(&["keys", "rotate-cipher", "--tenant", "burg", "--yes"]),
    state: |ground| ground.newest("cipher key", &Value::Null)["version"].as_i64().unwrap(),
    step: 1,
    check: |_, _| {},
};

/// Writes the system keyring twice: the key of the tenant's file is replaced too.
const ROTATE_COMPROMISED: Operation = Operation {
    name: "rotate-cipher --compromised",
    act: |ground| {
        ground.operator(&["keys", "rotate-cipher", "--tenant", "burg", "--compromised", "--yes"])
    },
    ..ROTATE_CIPHER
};

const MARK: Operation = Operation {
    name: "rotate-data, mark",
    prepare: |ground| {
        // A class that no record here has, so that no write takes the mark away.
        ground.operator(&["keys", "rotate-data", "--tenant", "burg", "--class", "device", "--yes"]);
        let list = ["keys", "operations", "list", "--tenant", "burg", "--output", "json"];
        let listed = ground.site.operator(&list).ok().json();
        let is_open = |operation: &&Value| operation["state"] != "cancelled";
        for operation in listed["operations"].as_array().unwrap().iter().filter(is_open) {
            let id = operation["id"].as_str().unwrap();
            ground.operator(&["keys", "operations", "cancel", id, "--yes"]);
        }
    },
    act: |ground| {
        ground.operator(&["keys", "rotate-data", "--tenant", "burg", "--class", "device", "--yes"])
    },
    state: |ground| i64::from(!ground.newest("data key", &"device".into())["due"].is_null()),
    step: 1,
    check: |_, _| {},
};

const NEW_EPOCH: Operation = Operation {
    name: "rotate-data, new epoch",
    prepare: |ground| {
        let class = ["--class", "contact", "--yes"];
        let mark = [&["keys", "rotate-data", "--tenant", "burg"][..], &class[..]].concat();
        assert!(ground.operator(&mark));
    },
    // The write goes on with the older key when the new one cannot be written.
    act: |ground| {
        let before = (NEW_EPOCH.state)(ground);
        let path = format!("{RECORDS}?id_field=nr");
        let body = "{\"nr\":\"e1\",\"mail\":\"a@example.org\"}";
        let status = ground.site.curl(&ground.tenant, &path, &["--json", body]).status;
        let is_up = ground.site.vault().is_running();
        is_up && status == 201 && (NEW_EPOCH.state)(ground) > before
    },
    state: |ground| ground.newest("data key", &"contact".into())["version"].as_i64().unwrap(),
    step: 1,
    check: |_, _| {},
};

const ROTATE_ROOT: Operation = Operation {
    name: "rotate-root",
    prepare: |_| {},
    act: |ground| ground.operator(&["keys", "rotate-root", "--yes"]),
    state: |ground| {
        let status = ground.site.operator(&["keys", "status", "--output", "json"]).ok().json();
        let keys = status["system"].as_array().unwrap().clone();
        let root = keys.iter().find(|key| key["key"] == "root key");
        root.unwrap()["version"].as_i64().unwrap()
    },
    step: 1,
    check: |_, _| {},
};

/// Customer tokens that work.
fn working_tokens(ground: &Ground) -> i64 {
    let tokens = ground.tokens();
    i64::try_from(tokens.iter().filter(|token| token["state"] == "active").count()).unwrap()
}

const ISSUE: Operation = Operation {
    name: "issue",
    prepare: |ground| {
        for token in ground.tokens().iter().filter(|token| token["name"] == "issued") {
            assert_eq!(ground.revoke(token["id"].as_str().unwrap()), 200);
        }
    },
    act: |ground| {
        ground.other = ground.issue("issued");
        ground.other.is_some()
    },
    state: working_tokens,
    step: 1,
    check: |ground, _| {
        if let Some(issued) = &ground.other {
            assert_eq!(ground.get(issued, "r1"), 200, "what was answered works");
        }
    },
};

const REVOKE: Operation = Operation {
    name: "revoke",
    prepare: |ground| {
        for token in ground.tokens().iter().filter(|token| token["name"] == "revoked") {
            assert_eq!(ground.revoke(token["id"].as_str().unwrap()), 200);
        }
        ground.other = ground.issue("revoked");
        let other = ground.other.as_ref().unwrap();
        assert_eq!(ground.get(other, "r1"), 200);
    },
    act: |ground| {
        let token = ground.other.as_ref().unwrap().customer_token();
        ground.revoke(token.split('_').nth(1).unwrap()) == 200
    },
    state: working_tokens,
    step: -1,
    check: |ground, is_done| {
        let other = ground.other.as_ref().unwrap();
        let token = other.customer_token();
        let tokens = ground.tokens();
        let listed = tokens.iter().find(|it| token.contains(it["id"].as_str().unwrap())).unwrap();
        let is_revoked = listed["state"] == "revoked";
        assert!(is_revoked || !is_done);
        assert_eq!(ground.get(other, "r1"), if is_revoked { 401 } else { 200 });
    },
};

/// 0: the passphrase alone has the root key, 1: the spare seal too, 2: the spare seal alone.
fn seals(ground: &Ground) -> i64 {
    let status = ground.site.operator(&["seal", "status", "--output", "json"]).ok().json();
    let seals = status["seals"].as_array().unwrap().clone();
    let holds = |name: &str| {
        let seal = seals.iter().find(|seal| seal["name"] == name).unwrap();
        seal["holds_root_key"] == true
    };
    match (holds("passphrase"), holds("spare")) {
        (true, false) => 0,
        (true, true) => 1,
        (false, true) => 2,
        (false, false) => -1,
    }
}

/// Lets the passphrase alone, or both, hold the root key.
fn arrange_seals(ground: &Ground, wanted: i64) {
    let spare = if wanted == 0 { "remove" } else { "add" };
    ground.operator(&["seal", "add", "passphrase", "--yes"]);
    ground.operator(&["seal", spare, "spare", "--yes"]);
    assert_eq!(seals(ground), wanted);
}

const ADD_SEAL: Operation = Operation {
    name: "seal add",
    prepare: |ground| arrange_seals(ground, 0),
    act: |ground| ground.operator(&["seal", "add", "spare", "--yes"]),
    state: seals,
    step: 1,
    check: |_, _| {},
};

const REMOVE_SEAL: Operation = Operation {
    name: "seal remove",
    prepare: |ground| arrange_seals(ground, 1),
    act: |ground| ground.operator(&["seal", "remove", "spare", "--yes"]),
    state: seals,
    step: -1,
    check: |_, _| {},
};

const MIGRATE_SEAL: Operation = Operation {
    name: "seal migrate",
    prepare: |ground| arrange_seals(ground, 0),
    act: |ground| {
        let migrate = ["seal", "migrate", "--from", "passphrase", "--to", "spare", "--yes"];
        ground.operator(&migrate)
    },
    state: seals,
    step: 2,
    check: |_, _| {},
};

/// Lets operations meet all their fail points, or some, in a random order.
fn meet_all(engine: &'static str, operations: &[Operation]) {
    let mut ground = Ground::build(engine);
    for operation in operations {
        let mut points = operation.points(&mut ground);
        let all = points.len();
        for last in (1..all).rev() {
            let other = ground.random.within(0..u64::try_from(last + 1).unwrap());
            points.swap(last, usize::try_from(other).unwrap());
        }
        points.truncate(if is_long() { all } else { POINTS });
        points.iter().for_each(|point| operation.meet_and_restart(&mut ground, point));
        println!("{}: {} of {all} fail points", operation.name, points.len());
    }
}

#[test]
fn keys_of_a_tenant_are_the_old_or_the_new_ones_whatever_fails() {
    let test = "keys_of_a_tenant_are_the_old_or_the_new_ones_whatever_fails";
    with_own_mounts(test, || {
        meet_all("redb", &[ROTATE_CIPHER, ROTATE_COMPROMISED, MARK, NEW_EPOCH]);
    });
}

#[test]
fn customer_tokens_work_as_answered_whatever_fails() {
    let test = "customer_tokens_work_as_answered_whatever_fails";
    with_own_mounts(test, || meet_all("redb", &[ISSUE, REVOKE]));
}

#[test]
fn some_seal_opens_the_root_key_whatever_fails() {
    let test = "some_seal_opens_the_root_key_whatever_fails";
    let operations = [ROTATE_ROOT, ADD_SEAL, REMOVE_SEAL, MIGRATE_SEAL];
    with_own_mounts(test, || meet_all("redb", &operations));
}

#[test]
fn a_root_key_that_is_half_replaced_is_settled_before_seals_give_another_up() {
    let test = "a_root_key_that_is_half_replaced_is_settled_before_seals_give_another_up";
    with_own_mounts(test, || {
        let mut ground = Ground::build("redb");
        let call = |name: &str, number| SystemCall { name: name.to_owned(), number };
        // The seal file is replaced, then the keyring, of which it is not known whether it is.
        let half = (call("fsync", 4), Fault::Error("EIO"));
        ROTATE_ROOT.meet(&mut ground, &half);
        // The seal file is replaced again, the keyring is not any more.
        ROTATE_ROOT.meet(&mut ground, &(call("rename", 3), Fault::Kill));
        ROTATE_ROOT.meet(&mut ground, &half);
        arrange_seals(&ground, 0);
        assert!((MIGRATE_SEAL.act)(&mut ground));
        ground.restart();
        ground.assert_whole();
    });
}
