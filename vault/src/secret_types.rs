//! No secret of the vault can be copied, printed, written out or compared by accident: this does not
//! compile when one of them can.

use std::{
    borrow::Borrow,
    fmt::Display,
    ops::{Deref, DerefMut},
};

use serde::{Serialize, de::DeserializeOwned};
use static_assertions::assert_not_impl_any;

use crate::{
    aead::MessageKey,
    key::{
        BodyKey, CipherKey, ClassKey, DataKey, FileKey, IdentifierKey, Key, MetadataKey, Pepper,
        RequestKey, RootKey, SealKey, TokenAuthKey, TokenWrapKey,
    },
    keyring::{Keyrings, LoadedKeyring, SystemKeyring, TenantKeyring},
    record::{NewField, NewRecord, Subject},
    row::RowKeys,
    seal::Passphrase,
    users::PasswordKey,
};

macro_rules! secret {
    ($($name:ty),* $(,)?) => {$(
        assert_not_impl_any!(
            $name: Clone, Copy, Display, Serialize, DeserializeOwned, PartialEq, PartialOrd,
            std::hash::Hash, Deref, DerefMut, AsRef<[u8]>, AsRef<str>, AsRef<[u8; 32]>,
            Borrow<[u8]>, Borrow<str>, Into<Vec<u8>>, Into<String>,
        );
    )*};
}

secret!(
    BodyKey,
    CipherKey,
    ClassKey,
    DataKey,
    FileKey,
    IdentifierKey,
    MetadataKey,
    Pepper,
    RequestKey,
    RootKey,
    SealKey,
    TokenAuthKey,
    TokenWrapKey,
    Passphrase,
    PasswordKey,
    MessageKey,
    RowKeys,
    SystemKeyring,
    TenantKeyring,
    LoadedKeyring,
    Keyrings,
    NewRecord,
    NewField,
    Subject,
);

#[test]
fn a_key_prints_its_name_only() {
    let key = CipherKey::from_slice(b"0123456789abcdef0123456789abcdef").unwrap();
    assert_eq!(format!("{key:?}"), "CipherKey");
    let passphrase = zeroize::Zeroizing::new(b"correct horse battery".to_vec());
    assert_eq!(format!("{:?}", Passphrase::new(passphrase).unwrap()), "Passphrase");
    assert_eq!(format!("{:?}", Subject::new("Anna".to_owned()).unwrap()), "Subject");
}
