//! The info types that the policies of a tenant define: one meaning for each name.
//!
//! It promises that a collection takes up a name only with the meaning that all others have, and that
//! the class, under whose keys surrogates are, is the same in all. A collection that has a name may
//! define it anew, so that a mistake can be mended in one after the other. It relies on whoever puts a
//! policy waiting for those who do so at once.

use tresor_proto::{
    CollectionName, ErrorCode, Failure, InfoType, InfoTypeDefinition, Mask, Policy, TenantId,
};

use super::{Collection, Registry};
use crate::error::VaultError;

impl Registry {
    /// Checks that a policy means by its info types what the tenant's others mean.
    pub(super) async fn check_meanings(
        &self,
        tenant: TenantId,
        name: &CollectionName,
        policy: &Policy,
    ) -> Result<(), VaultError> {
        let definitions = policy.info_types().definitions();
        if definitions.is_empty() {
            return Ok(());
        }
        let collections = self.collections(tenant).await?;
        definitions.iter().try_for_each(|ours| check_meaning(name, ours, &collections))
    }

    /// An info type as the tenant's policies define it, with the mask it has in all of them; `None`
    /// where none defines it.
    pub(crate) async fn defined(
        &self,
        tenant: TenantId,
        info_types: &[InfoType],
    ) -> Result<Vec<(InfoType, Option<Mask>)>, VaultError> {
        let collections = self.collections(tenant).await?;
        let defined = |info_type: &InfoType| {
            let mut found = definitions(&collections, info_type.as_str());
            let (_, first) = found.next()?;
            // Where they differ nobody knows which to show.
            let is_same = found.all(|(_, other)| other.mask == first.mask);
            Some((first.info_type(), if is_same { first.mask } else { Some(Mask::NOTHING) }))
        };
        Ok(info_types.iter().filter_map(defined).collect())
    }
}

fn check_meaning(
    name: &CollectionName,
    ours: &InfoTypeDefinition,
    collections: &[Collection],
) -> Result<(), VaultError> {
    let info_type = ours.info_type.as_str();
    let is_known = definitions(collections, info_type).any(|(other, _)| &other.name == name);
    let differs = |(other, theirs): &(&Collection, &InfoTypeDefinition)| {
        let is_other = &other.name != name;
        theirs.info_type != ours.info_type || (is_other && !is_known && !theirs.means_what(ours))
    };
    let Some((other, _)) = definitions(collections, info_type).find(differs) else { return Ok(()) };
    let description = format!(
        "the collection {} defines it otherwise; within a tenant a name has one class, pattern and \
         checksum",
        other.name
    );
    let failure = Failure::new(ErrorCode::Conflict, "an info type has another meaning already");
    Err(failure.with_violation(&format!("info_types.{info_type}"), description).into())
}

/// The definitions of a name, with the collections that have them.
fn definitions<'a>(
    collections: &'a [Collection],
    info_type: &'a str,
) -> impl Iterator<Item = (&'a Collection, &'a InfoTypeDefinition)> {
    collections.iter().filter_map(move |collection| {
        let definition = collection.policy.info_types().definition(info_type)?;
        Some((collection, definition))
    })
}
