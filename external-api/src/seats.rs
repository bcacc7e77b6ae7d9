//! Seats: how many requests run at once, of all tenants and of each.
//!
//! It promises that no tenant takes more than a quarter of them, so that one which lets its streams
//! dribble takes nothing from the others, and that a seat is free again when it is dropped. It
//! relies on the listener for who asks.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tresor_door::Guard;
use tresor_proto::TenantId;

/// What part of all seats one tenant may take.
const TENANT_PART: usize = 4;

/// All seats.
pub(crate) struct Seats {
    seats_max: usize,
    tenant_max: usize,
    taken: Mutex<Taken>,
}

/// The seats that are taken; services, which are refused later, count as one tenant.
#[derive(Default)]
struct Taken {
    all: usize,
    by_tenant: HashMap<Option<TenantId>, usize>,
}

/// A seat that is taken until it is dropped.
pub(crate) struct Seat {
    seats: Arc<Seats>,
    tenant: Option<TenantId>,
}

impl Seats {
    /// As many seats, all free.
    pub(crate) fn new(seats_max: usize) -> Arc<Self> {
        let tenant_max = (seats_max / TENANT_PART).max(1);
        Arc::new(Self { seats_max, tenant_max, taken: Mutex::default() })
    }

    /// A seat, unless all are taken, or all that the tenant may have.
    pub(crate) fn take(self: &Arc<Self>, tenant: Option<TenantId>) -> Option<Seat> {
        let mut taken = self.taken();
        let theirs = taken.by_tenant.get(&tenant).copied().unwrap_or_default();
        if taken.all >= self.seats_max || theirs >= self.tenant_max {
            return None;
        }
        taken.all += 1;
        taken.by_tenant.insert(tenant, theirs + 1);
        drop(taken);
        Some(Seat { seats: Arc::clone(self), tenant })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        // Nothing panics while it is held.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken();
        taken.all = taken.all.saturating_sub(1);
        let theirs = taken.by_tenant.get(&self.tenant).copied().unwrap_or_default();
        if theirs > 1 {
            taken.by_tenant.insert(self.tenant, theirs - 1);
        } else {
            // Tenants come and go; only those that are here are remembered.
            taken.by_tenant.remove(&self.tenant);
        }
    }
}

impl Guard for Seat {}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Option<&str> = Some("0192f0c1-2d3e-7f40-8a5b-6c7d8e9fa0b1");
    const OTHER: Option<&str> = Some("0192f0c1-2d3e-7f40-8a5b-6c7d8e9fa0b2");

    fn take(seats: &Arc<Seats>, tenant: Option<&str>) -> Option<Seat> {
        seats.take(tenant.map(|text| TenantId::parse(text).unwrap()))
    }

    #[test]
    fn a_tenant_takes_a_quarter_of_the_seats_and_leaves_the_rest() {
        let seats = Seats::new(9);
        let mut theirs = [take(&seats, ONE), take(&seats, ONE)];
        assert!(theirs.iter().all(Option::is_some));
        assert!(take(&seats, ONE).is_none());
        let others = [take(&seats, OTHER), take(&seats, None)];
        assert!(others.iter().all(Option::is_some));
        theirs[0] = None;
        assert!(take(&seats, ONE).is_some());
    }

    #[test]
    fn there_are_no_more_seats_than_there_are() {
        let seats = Seats::new(1);
        let only = take(&seats, ONE);
        assert!(only.is_some());
        assert!(take(&seats, OTHER).is_none());
        drop(only);
        assert!(take(&seats, OTHER).is_some());
        assert!(seats.taken().by_tenant.is_empty());
    }
}
