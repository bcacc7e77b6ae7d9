//! Every method of the descriptors, called by every role over its own certificate: who is let in
//! and who is refused, as it is written down here a second time.

use prost::Message as _;
use prost_types::FileDescriptorSet;
use tonic::{Code, Request, Status, client::Grpc, transport::Channel};
use tonic_prost::ProstCodec;
use tresor_internal_api::{GrantedMethods, ServiceRights, ServiceRole};
use tresor_proto::{FILE_DESCRIPTOR_SET, TenantId};

use crate::house::{House, Running, grant};

/// Called last, for whoever may: after these nothing answers as before.
const LAST: [&str; 2] = ["SealService/Unlock", "SealService/Lock"];

/// Whether a role is served a method.
type Serves = fn(&str) -> bool;

/// The roles, each with a name in its certificate and what it is served of its plane.
const ROLES: [(&str, Serves); 6] = [
    ("edge", |method| is_data(method)),
    ("billing", |method| method == "RecordService/Get"),
    ("operator", |method| !is_data(method) || is_look_at_policies(method)),
    ("deployer", |method| {
        method.starts_with("SealService/") || method == "KeyService/GetKeyStatus"
    }),
    ("auditor", |method| (!is_data(method) || is_look_at_policies(method)) && is_look(method)),
    ("ca-officer", |method| {
        ["TenantService/GetTenant", "TenantService/ListTenants"].contains(&method)
    }),
];

fn is_look(method: &str) -> bool {
    ["/Get", "/List", "/Analyze"].iter().any(|look| method.contains(look))
}

fn is_look_at_policies(method: &str) -> bool {
    ["CollectionService/GetCollection", "CollectionService/ListCollections"].contains(&method)
}

fn is_data(method: &str) -> bool {
    let services =
        ["RecordService/", "SurrogateService/", "CustomerTokenService/", "AccessService/"];
    services.iter().any(|service| method.starts_with(service)) || is_look_at_policies(method)
}

/// Every method, `Service/Method`; those that turn everything around come last.
fn methods() -> Vec<String> {
    let files = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap().file;
    let services = files.into_iter().flat_map(|file| file.service);
    let mut methods: Vec<_> = services
        .flat_map(|service| {
            let name = |method: &prost_types::MethodDescriptorProto| {
                format!("{}/{}", service.name(), method.name())
            };
            service.method.iter().map(name).collect::<Vec<_>>()
        })
        .collect();
    methods.sort_by_key(|method| LAST.iter().position(|last| method == last));
    methods
}

async fn house_of_roles() -> Running {
    let rights = ServiceRights {
        tenants: vec![TenantId::from_bytes([7; 16])],
        methods: GrantedMethods::parse("RecordService/Get").unwrap(),
    };
    let house = House::new();
    let services = vec![
        grant("edge", ServiceRole::Edge),
        grant("billing", ServiceRole::Service(rights)),
        grant("operator", ServiceRole::Operator),
        grant("deployer", ServiceRole::Deployer),
        grant("auditor", ServiceRole::Auditor),
        grant("ca-officer", ServiceRole::CaOfficer),
    ];
    let config = house.config(services);
    house.start_with(config).await
}

/// Calls a method with an empty message, which a stream understands too.
async fn call(channel: &Channel, path: String) -> Option<Status> {
    let mut grpc = Grpc::new(channel.clone());
    grpc.ready().await.unwrap();
    let path = path.parse().unwrap();
    let codec = ProstCodec::<(), ()>::default();
    match grpc.server_streaming(Request::new(()), path, codec).await {
        Err(status) => Some(status),
        Ok(answer) => answer.into_inner().message().await.err(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_role_is_let_in_to_its_own_methods_and_refused_all_others() {
    let running = house_of_roles().await;
    let methods = methods();
    assert!(methods.len() > 30, "the descriptors are read");
    for (name, serves) in ROLES {
        let certificate = format!("svc/{name}");
        let is_of_data = ["edge", "billing"].contains(&name);
        let planes = [
            (running.data(&certificate).await, is_of_data),
            (running.control(&certificate).await, !is_of_data),
        ];
        for (channel, is_own) in planes {
            for method in &methods {
                let status = call(&channel, format!("/tresor.vault.v1.{method}")).await;
                let code = status.as_ref().map(Status::code);
                let is_refused = code == Some(Code::PermissionDenied);
                let expected = !(is_own && serves(method));
                assert_eq!(
                    is_refused, expected,
                    "{name}, own plane {is_own}, {method}: {status:?}"
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_reflection_are_for_every_role_on_its_own_plane() {
    let running = house_of_roles().await;
    for (name, _) in ROLES {
        let certificate = format!("svc/{name}");
        let is_of_data = ["edge", "billing"].contains(&name);
        let (data, control) =
            (running.data(&certificate).await, running.control(&certificate).await);
        let (own, other) = if is_of_data { (data, control) } else { (control, data) };
        let health = || "/grpc.health.v1.Health/Check".to_owned();
        assert!(call(&own, health()).await.is_none(), "{name}");
        let refused = call(&other, health()).await.unwrap();
        assert_eq!(refused.code(), Code::PermissionDenied, "{name}");
    }
}
