use prost::Message as _;
use prost_types::FileDescriptorSet;
use tresor_proto::{FILE_DESCRIPTOR_SET, TenantId};

use super::*;
use crate::directory::ServiceRights;

/// Every method of the descriptors, as the table names it.
fn methods() -> Vec<String> {
    let files = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap().file;
    let ours = files.into_iter().filter(|file| file.package() == "tresor.vault.v1");
    let services = ours.flat_map(|file| file.service);
    let named = services.flat_map(|service| {
        let name = |method: &prost_types::MethodDescriptorProto| {
            format!("{}/{}", service.name(), method.name())
        };
        service.method.iter().map(name).collect::<Vec<_>>()
    });
    named.collect()
}

fn service(methods: &[&str]) -> ServiceRole {
    let methods = methods.iter().map(|text| GrantedMethods::parse(text).unwrap()).collect();
    ServiceRole::Service(ServiceRights { tenants: vec![TenantId::from_bytes([1; 16])], methods })
}

fn all_roles() -> [ServiceRole; 6] {
    let all = ServiceRights { tenants: Vec::new(), methods: GrantedMethods::all() };
    [
        ServiceRole::Edge,
        ServiceRole::Service(all),
        ServiceRole::Operator,
        ServiceRole::Deployer,
        ServiceRole::Auditor,
        ServiceRole::CaOfficer,
    ]
}

/// What a role may call on a plane.
fn callable(plane: Plane, role: &ServiceRole) -> Vec<String> {
    let path = |method: &String| format!("{PACKAGE}{method}");
    let may = |method: &String| check(plane, role, &path(method)).is_ok();
    methods().into_iter().filter(may).collect()
}

#[test]
fn every_method_has_one_rule_and_every_rule_a_method() {
    let methods: BTreeSet<_> = methods().into_iter().collect();
    let rules: BTreeSet<_> = RULES.iter().map(|(method, _)| (*method).to_owned()).collect();
    assert!(methods.len() > 30, "the descriptors are read");
    assert_eq!(methods, rules);
    assert_eq!(rules.len(), RULES.len(), "one is there twice");
    assert!(RULES.iter().all(|(_, roles)| !roles.is_empty()));
}

#[test]
fn what_has_no_rule_is_unknown_to_everybody() {
    for role in all_roles() {
        let plane = role.name().plane();
        for path in [
            "/tresor.vault.v1.RecordService/Nonesuch",
            "/tresor.vault.v1.RecordService",
            "/tresor.vault.v1.RecordService/Put/",
            "/tresor.vault.v1.recordservice/put",
            "//tresor.vault.v1.RecordService/Put",
            "/tresor.vault.v2.RecordService/Put",
            "/RecordService/Put",
            "/grpc.health.v1.Health/Nonesuch",
            "/a.B/C",
            "/",
        ] {
            assert_eq!(check(plane, &role, path), Err(Barred::Unknown), "{role:?} {path}");
        }
    }
}

#[test]
fn a_role_is_served_on_its_own_plane_only_health_included() {
    for role in all_roles() {
        let own = role.name().plane();
        let other = if own == Plane::Data { Plane::Control } else { Plane::Data };
        assert!(callable(other, &role).is_empty(), "{role:?}");
        for path in FOR_ALL {
            assert_eq!(check(own, &role, path), Ok(()), "{role:?} {path}");
            assert_eq!(
                check(other, &role, path),
                Err(Barred::Refused(RefusalReason::ServiceOnWrongListener)),
                "{role:?} {path}"
            );
        }
    }
}

#[test]
fn no_role_of_operators_reaches_what_takes_a_customer_token() {
    for role in all_roles().iter().skip(2) {
        let opening =
            ["RecordService/", "SurrogateService/", "CustomerTokenService/", "AccessService/"];
        let opens = |method: &String| opening.iter().any(|prefix| method.starts_with(prefix));
        assert!(!callable(Plane::Control, role).iter().any(opens), "{role:?}");
    }
}

#[test]
fn the_operator_may_all_of_his_plane_and_the_others_part_of_it() {
    let operator = callable(Plane::Control, &ServiceRole::Operator);
    let others = [ServiceRole::Deployer, ServiceRole::Auditor, ServiceRole::CaOfficer];
    for role in &others {
        let theirs = callable(Plane::Control, role);
        assert!(theirs.len() < operator.len());
        assert!(theirs.iter().all(|method| operator.contains(method)), "{role:?}");
    }
    let is_look =
        |method: &String| ["/Get", "/List", "/Analyze"].iter().any(|verb| method.contains(verb));
    let looks: Vec<_> = operator.iter().filter(|method| is_look(method)).cloned().collect();
    assert_eq!(callable(Plane::Control, &ServiceRole::Auditor), looks, "he looks at all of it");
    let ca_officer = callable(Plane::Control, &ServiceRole::CaOfficer);
    assert_eq!(ca_officer, ["TenantService/GetTenant", "TenantService/ListTenants"]);
    let is_running =
        |method: &String| method.starts_with("SealService/") || method == "KeyService/GetKeyStatus";
    assert!(callable(Plane::Control, &ServiceRole::Deployer).iter().all(is_running));
}

#[test]
fn a_service_calls_what_it_was_granted_and_nothing_else() {
    let reader = service(&["RecordService/Get", "RecordService/List"]);
    assert_eq!(callable(Plane::Data, &reader), ["RecordService/Get", "RecordService/List"]);
    let all = callable(Plane::Data, &service(&["RecordService/*"]));
    assert!(all.len() > 4 && all.iter().all(|method| method.starts_with("RecordService/")));
}

#[test]
fn only_what_a_service_may_ever_call_can_be_granted() {
    for text in [
        "",
        "*",
        "/*",
        "RecordService",
        "RecordService/",
        "RecordService/Nonesuch",
        "Record*",
        "recordservice/*",
        "CustomerTokenService/*",
        "TenantService/ListTenants",
        "CollectionService/PutCollection",
        "tresor.vault.v1.RecordService/Get",
    ] {
        assert_eq!(GrantedMethods::parse(text), None, "{text}");
    }
    let collections = GrantedMethods::parse("CollectionService/*").unwrap();
    assert!(!collections.0.contains("CollectionService/PutCollection"));
}
