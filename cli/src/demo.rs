//! The main job end to end on throwaway keys, then what each thief would see.
//!
//! It promises to attack for real: through the doors, on the files, and with the vault's own code;
//! each kind of attack is accompanied by a control that must succeed, so that a refusal means
//! something. It relies on [`crate::local`] for both APIs.

mod attack;
mod disk_search;
mod doors;
mod holdings;
mod keys_alone;
mod search;
mod stage;
mod stored_row;
mod tampering;
mod tour;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tresor_screening::Column;

use self::{
    attack::Attack,
    disk_search::{Findings, Needles},
    holdings::Holdings,
    keys_alone::KeysAlone,
    stage::Stage,
    stored_row::StoredRow,
};
use crate::{
    command::get::RecordDocument,
    error::{CliError, Exit},
    output::Output,
    transfer::Summary,
};

pub(crate) use self::{stage::SAMPLE, tour::show};

/// Everything a demonstration found out.
pub(crate) struct Demonstration {
    columns: Vec<Column>,
    summary: Summary,
    upload_time: Duration,
    elapsed: Duration,
    samples: Option<Samples>,
    holdings: HoldingsSummary,
    on_disk: Findings,
    control_hits: u64,
    keys_alone: Option<KeysAlone>,
    attacks: Vec<Attack>,
    controls: Vec<Attack>,
}

/// One record, four times.
struct Samples {
    stored: StoredRow,
    masked: RecordDocument,
    plain: RecordDocument,
}

/// What is known of all records without keeping them.
#[derive(Clone, Copy, Debug, Default)]
struct HoldingsSummary {
    read_back: u64,
    changed: u64,
    values_checked: usize,
    values_skipped: usize,
}

/// Performs it with the records of `file`, below `root`.
pub(crate) async fn perform(
    output: &Output,
    root: &Path,
    file: &Path,
) -> Result<Demonstration, CliError> {
    let begun = Instant::now();
    stage::check(file)?;
    let stage = Stage::set(output, root).await?;
    let upload = stage.upload(output, file).await?;
    output.note("reading everything back …");
    let holdings = Holdings::read_back(&stage, file, &upload.ids).await?;
    let first = holdings.first_id().cloned();
    let shown = stage.reveal(first.as_deref()).await?;
    output.note("trying the doors …");
    let (mut attacks, mut controls) = doors::attempt(&stage, first.as_deref()).await?;
    let plain = shown.as_ref().map(|(_, plain)| plain);
    search::attempt(&stage, plain, &mut attacks, &mut controls).await?;
    output.note("searching the disk …");
    let (kept, values_skipped) = holdings.searchable(&stage);
    let needles = Needles::in_all_forms(kept.iter().map(String::as_bytes));
    let mut on_disk = attack::search(&needles, &stage, "while running", &mut attacks)?;
    let stopped = stage.stop().await?;
    on_disk.merge(attack::search(&needles, &stopped, "after the shutdown", &mut attacks)?);
    attack::search_customers_secrets(&stopped, &mut attacks, &mut controls)?;
    attack::search_clear_values(&stopped, &holdings, &mut controls)?;
    let control_hits = needles.search(file)?.hits;
    output.note("breaking in with every key of the server …");
    let stored = stopped.stored_row(first.as_deref()).await?;
    let keys_alone = keys_alone::attempt(&stopped, stored.as_ref(), &mut attacks, &mut controls)?;
    output.note("changing rows behind the vault's back …");
    tampering::attempt(&stopped, holdings.ids(), &mut attacks, &mut controls).await?;
    let samples =
        shown.zip(stored).map(|((masked, plain), stored)| Samples { stored, masked, plain });
    Ok(Demonstration {
        columns: upload.columns,
        summary: upload.summary,
        upload_time: upload.time,
        elapsed: begun.elapsed(),
        samples,
        holdings: HoldingsSummary {
            read_back: holdings.count(),
            changed: holdings.changed(),
            values_checked: kept.len(),
            values_skipped,
        },
        on_disk,
        control_hits,
        keys_alone,
        attacks,
        controls,
    })
}

impl Demonstration {
    /// Whether everything was as promised: no value found, no attack done, every control too.
    pub(crate) fn is_as_promised(&self) -> bool {
        let nothing_found = self.on_disk.hits == 0 && self.attacks.iter().all(|a| a.is_refused);
        let controls_work = self.controls.iter().all(|control| !control.is_refused);
        let values_known = self.holdings.values_checked == 0 || self.control_hits > 0;
        let all_read_back = self.holdings.changed == 0
            && self.holdings.read_back == self.summary.accepted
            && self.summary.complete;
        nothing_found && controls_work && values_known && all_read_back
    }

    /// The exit code.
    pub(crate) fn exit(&self) -> Exit {
        match (self.is_as_promised(), self.summary.accepted, self.summary.rejected) {
            (true, _, 0) => Exit::Done,
            (false, ..) | (_, 0, _) => Exit::Failed,
            (true, ..) => Exit::SomeRejected,
        }
    }

    /// As one JSON object.
    pub(crate) fn to_json(&self) -> Value {
        let refused = self.attacks.iter().filter(|attack| attack.is_refused).count();
        json!({
            "as_promised": self.is_as_promised(),
            "records_accepted": self.summary.accepted,
            "records_rejected": self.summary.rejected,
            "records_read_back": self.holdings.read_back,
            "records_changed": self.holdings.changed,
            "fields_sealed": self.summary.fields_sealed,
            "fields_tokenized": self.summary.fields_tokenized,
            "fields_clear": self.summary.fields_clear,
            "fields_dropped": self.summary.fields_dropped,
            "sealed_values_checked": self.holdings.values_checked,
            "sealed_values_skipped": self.holdings.values_skipped,
            "plaintext_hits": self.on_disk.hits,
            "plaintext_hits_in_source_file": self.control_hits,
            "bytes_searched": self.on_disk.bytes,
            "attacks_tried": self.attacks.len(),
            "attacks_refused": refused,
            "attacks": self.attacks.iter().map(Attack::to_json).collect::<Vec<_>>(),
            "controls": self.controls.iter().map(Attack::to_json).collect::<Vec<_>>(),
            "elapsed_ms": in_ms(self.elapsed),
            "upload_ms": in_ms(self.upload_time),
            "records_per_second": self.records_per_second().round(),
            "columns": self.columns,
        })
    }

    fn records_per_second(&self) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "a rate for people, not a count")]
        let accepted = self.summary.accepted as f64;
        accepted / self.upload_time.as_secs_f64().max(0.001)
    }
}

fn in_ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
