//! No secret can be copied, printed, written out or compared by accident: this does not compile when
//! one of them can.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    borrow::Borrow,
    fmt::Display,
    ops::{Deref, DerefMut},
};

use serde::{Serialize, de::DeserializeOwned};
use static_assertions::assert_not_impl_any;
use tresor_proto::{Content, CustomerToken, EnrolmentCode, Password, Secret, Session};

macro_rules! secret {
    ($($name:ty),* $(,)?) => {$(
        assert_not_impl_any!(
            $name: Clone, Copy, Display, Serialize, DeserializeOwned, PartialEq, PartialOrd,
            std::hash::Hash, Deref, DerefMut, AsRef<[u8]>, AsRef<str>, AsRef<[u8; 32]>,
            Borrow<[u8]>, Borrow<str>, Into<Vec<u8>>, Into<String>,
        );
    )*};
}

secret!(Secret<16>, Secret<32>, CustomerToken, EnrolmentCode, Content, Password, Session);

#[test]
fn a_secret_prints_its_name_only() {
    let text = "trsr_14fhprYCYlTyUewFx_EHaKB2qyjGii2QpQPwpQat5bqPfpaJ2HRtLYCZ2jm4i4ORhGB";
    assert_eq!(format!("{:?}", CustomerToken::parse(text).unwrap()), "CustomerToken");
    assert_eq!(format!("{:#?}", Content::text("Anna").unwrap()), "Content");
    assert_eq!(format!("{:?}", Secret::<4>::from_slice(b"Anna").unwrap()), "Secret");
}
