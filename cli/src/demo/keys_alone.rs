//! A thief with the data directory, the passphrase and so every key of the server, but without the
//! customer's.

use tresor_proto::{DataClass, RecordId};
use tresor_vault::{Loot, Passphrase, StolenRow, Theft};
use zeroize::Zeroizing;

use super::{
    attack::Attack,
    stage::{OnDisk as _, Set},
    stored_row::StoredRow,
};
use crate::error::CliError;

/// What the thief got without the customer token, and what the same program gets with it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeysAlone {
    /// Without the customer token.
    pub(crate) without: Loot,
    /// With it.
    pub(crate) with: Loot,
}

/// Tries every key on every lock.
pub(crate) fn attempt(
    set: &Set,
    row: Option<&StoredRow>,
    attacks: &mut Vec<Attack>,
    controls: &mut Vec<Attack>,
) -> Result<Option<KeysAlone>, CliError> {
    let Some(row) = row else { return Ok(None) };
    let file = set.premises.passphrase_file();
    let bytes = std::fs::read(&file).map_err(|error| CliError::file("read", &file, &error))?;
    let passphrase = Passphrase::new(Zeroizing::new(bytes));
    let passphrase = passphrase.map_err(|error| CliError::failed(error.to_string()))?;
    let data_dir = set.data_dir();
    let record = RecordId::parse(&row.id)?;
    let stolen = StolenRow {
        tenant: set.victim.tenant,
        collection: &set.collection,
        record: &record,
        bytes: &row.bytes,
    };
    let without = Theft { data_dir: &data_dir, passphrase: &passphrase, customer_token: None };
    let with = Theft { customer_token: Some(&set.victim.customer_token), ..without };
    let attempt = |theft: Theft<'_>| {
        let loot = theft.attempt(stolen);
        loot.map_err(|_| CliError::failed("the stolen keyrings do not open with the passphrase"))
    };
    let tried = KeysAlone { without: attempt(without)?, with: attempt(with)? };
    attacks.extend(to_attacks(&tried.without));
    controls.push(to_control(&tried.with));
    Ok(Some(tried))
}

fn to_attacks(loot: &Loot) -> [Attack; 3] {
    let attack = |what: &str, opened: usize, of: usize| Attack {
        what: what.to_owned(),
        with: "disk, passphrase, root key, cipher key",
        got: format!("{opened} of {of} opened"),
        code: None,
        is_refused: opened == 0,
    };
    let classes = DataClass::ALL.len();
    [
        attack("open slots with the cipher key alone", loot.slots_opened, loot.slots),
        attack("open data keys with the cipher key alone", loot.data_keys_opened, classes),
        attack("open a stored row with the cipher key alone", loot.groups_opened, loot.groups),
    ]
}

fn to_control(loot: &Loot) -> Attack {
    // The other slots are the recovery token's.
    let classes = DataClass::ALL.len();
    let is_open = loot.data_keys_opened == classes && loot.groups_opened == loot.groups;
    Attack {
        what: "the same program, given the customer token too".to_owned(),
        with: "both keys",
        got: format!("{} of {classes} data keys opened", loot.data_keys_opened),
        code: None,
        is_refused: !is_open,
    }
}
