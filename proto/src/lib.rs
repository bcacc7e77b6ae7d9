//! The language Tresor's crates share: the messages of the wire and of the disk, identifiers,
//! secret types, and the one table of errors.
//!
//! It promises that a value of any of its types is valid: each is made by parsing, once, at the
//! door. It relies on nothing but the generated code; it does no I/O.

mod action;
mod address_list;
mod calling_code;
mod certificate_name;
mod checksum;
mod collection_name;
mod content;
mod crockford;
mod custom_info_type;
mod customer_token;
mod customer_token_name;
mod data_class;
mod enrolment_code;
mod error_code;
mod failure;
mod field_check;
mod field_name;
mod field_settings;
mod idempotency_key;
mod info_type;
mod info_type_definition;
mod info_types;
pub mod limits;
mod luhn;
mod mask;
mod password;
mod password_rule;
mod pattern;
mod policy;
mod record_id;
mod refusal_reason;
mod request_id;
mod secret;
mod session;
mod surrogate;
mod surrogate_form;
mod tenant;
mod tenant_limits;
mod tenant_role;
mod token_operation;
mod user_name;

pub use action::{Action, Reveal};
pub use address_list::AddressList;
pub use calling_code::calling_code;
pub use certificate_name::{CertificateName, ClientName, ServiceName, TrustDomain};
pub use checksum::Checksum;
pub use collection_name::CollectionName;
pub use content::{Content, ContentType};
pub use custom_info_type::CustomInfoType;
pub use customer_token::{CustomerToken, CustomerTokenId, CustomerTokenKind};
pub use customer_token_name::CustomerTokenName;
pub use data_class::DataClass;
pub use enrolment_code::EnrolmentCode;
pub use error_code::ErrorCode;
pub use failure::{Failure, Violation};
pub use field_name::FieldName;
pub use field_settings::{Mask, SearchIndex};
pub use idempotency_key::IdempotencyKey;
pub use info_type::{InfoType, SurrogateCode};
pub use info_type_definition::InfoTypeDefinition;
pub use info_types::InfoTypes;
pub use luhn::passes_luhn;
pub use mask::{MASK_DOTS, mask, mask_text, narrower_mask};
pub use password::Password;
pub use password_rule::PasswordRule;
pub use pattern::{Matcher, Pattern};
pub use policy::{FieldPolicy, Policy, UndeclaredPolicy, covering};
pub use record_id::RecordId;
pub use refusal_reason::RefusalReason;
pub use request_id::RequestId;
pub use secret::Secret;
pub use session::Session;
pub use surrogate::{Surrogate, SurrogateId};
pub use surrogate_form::{SurrogateForm, SurrogateFormat, SurrogateKind, SurrogateOptions};
pub use tenant::{TenantId, TenantName, TenantRef};
pub use tenant_limits::TenantLimits;
pub use tenant_role::{TenantRole, TenantRoles};
pub use token_operation::{OperationSet, TokenOperation};
pub use user_name::UserName;

/// The generated code, in modules that mirror its packages.
#[allow(missing_docs, unreachable_pub, unused_qualifications, reason = "generated code")]
#[allow(clippy::all, clippy::restriction, clippy::pedantic, reason = "generated code")]
mod generated {
    pub mod vault {
        pub mod v1 {
            tonic::include_proto!("tresor.vault.v1");
        }
    }
    pub mod storage {
        pub mod v1 {
            tonic::include_proto!("tresor.storage.v1");
        }
    }
}

/// Messages and services of both doors, package `tresor.vault.v1`.
pub use generated::vault::v1 as vault;

/// Messages at rest, package `tresor.storage.v1`.
pub use generated::storage::v1 as storage;

/// `Debug` of every message: its name, nothing of its content.
mod redacted {
    include!(concat!(env!("OUT_DIR"), "/redacted.rs"));
}

/// The file descriptor set of all packages, for server reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_print_their_name_and_nothing_of_their_content() {
        let secret = "trsr_secret".to_owned();
        let context =
            vault::RequestContext { customer_token: secret.clone(), ..Default::default() };
        let value = vault::Value { content: Some(vault::value::Content::Text(secret.clone())) };
        let enrolled = vault::EnrolResponse { customer_token: secret, ..Default::default() };
        assert_eq!(format!("{context:?} {value:?}"), "RequestContext Value");
        assert_eq!(format!("{:?}", value.content), "Some(Value.content)");
        assert_eq!(format!("{enrolled:?}"), "EnrolResponse");
        let cipher_key = storage::CipherKey { key: vec![7; 32], ..Default::default() };
        assert_eq!(format!("{cipher_key:?}"), "CipherKey");
    }
}
