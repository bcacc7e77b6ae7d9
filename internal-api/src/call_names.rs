//! The names of the methods that are served, for counts: a name is counted for ever, so there are
//! no more of them than there are methods.

use std::{collections::BTreeMap, sync::LazyLock};

use prost::Message as _;
use prost_types::FileDescriptorSet;
use tresor_proto::FILE_DESCRIPTOR_SET;

/// Package of our services, left out of their names.
const OUR_PACKAGE: &str = "tresor.vault.v1.";

static NAMES: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    let sets = [FILE_DESCRIPTOR_SET, tonic_health::pb::FILE_DESCRIPTOR_SET];
    sets.into_iter().flat_map(methods).map(|path| (path.clone(), short(&path))).collect()
});

/// The name of a method that is served, `RecordService/Put`.
pub(crate) fn known(service: &str, method: &str) -> Option<&'static str> {
    NAMES.get(&format!("{service}/{method}")).map(String::as_str)
}

/// All methods of a descriptor set, `package.Service/Method`.
fn methods(set: &[u8]) -> Vec<String> {
    // One that does not decode is found by reflection, which refuses to start with it.
    let files = FileDescriptorSet::decode(set).unwrap_or_default().file;
    let of_file = |file: &prost_types::FileDescriptorProto| {
        let of_service = |service: &prost_types::ServiceDescriptorProto| {
            let service_name = format!("{}.{}", file.package(), service.name());
            let path = |method: &prost_types::MethodDescriptorProto| {
                format!("{service_name}/{}", method.name())
            };
            service.method.iter().map(path).collect::<Vec<_>>()
        };
        file.service.iter().flat_map(of_service).collect::<Vec<_>>()
    };
    files.iter().flat_map(of_file).collect()
}

fn short(path: &str) -> String {
    path.strip_prefix(OUR_PACKAGE).unwrap_or(path).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_that_is_served_has_a_name_and_no_other_has() {
        assert_eq!(known("tresor.vault.v1.RecordService", "Put"), Some("RecordService/Put"));
        let health = "grpc.health.v1.Health";
        assert_eq!(known(health, "Check"), Some("grpc.health.v1.Health/Check"));
        assert_eq!(known("tresor.vault.v1.RecordService", "erika"), None);
        assert_eq!(known("tresor.vault.v1", "RecordService.Put"), None);
    }
}
