//! Seals on their way out.

use tresor_proto::vault;
use tresor_vault::{
    SealReport,
    clock::{Clock as _, SystemClock},
};

use super::time::to_timestamp;
use crate::lockable::LockState;

/// How the vault's seals are, as its operator sees it.
pub(crate) fn to_wire(state: &LockState, reports: &[SealReport]) -> vault::SealStatus {
    let (lock_state, reason) = match state {
        LockState::Unlocked(_) => (vault::LockState::Unlocked, String::new()),
        LockState::LockedByOperator => {
            (vault::LockState::LockedByOperator, "an operator has locked it".to_owned())
        }
        LockState::LockedBy(error) => (vault::LockState::Locked, error.to_string()),
    };
    vault::SealStatus {
        lock_state: lock_state as i32,
        reason,
        seals: reports.iter().map(seal).collect(),
        checked: Some(to_timestamp(SystemClock.now_ms())),
    }
}

fn seal(report: &SealReport) -> vault::SealInfo {
    vault::SealInfo {
        name: report.id.clone(),
        provider: report.provider.to_owned(),
        is_configured: report.is_configured,
        holds_root_key: report.holds_root_key,
        problem: report.problem.map(|problem| problem.to_string()).unwrap_or_default(),
    }
}
