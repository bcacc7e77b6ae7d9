//! What happens to a vault and to its model: one call, or one event. Numbers choose among what there
//! is when the step comes, so that a sequence stays one when steps are left out.

use proptest::{collection::vec, option, prelude::*};
use tresor_proto::{CustomerTokenKind, DataClass, OperationSet, Reveal, TokenOperation};

/// The records, few enough to meet again.
pub(crate) const RECORDS: [&str; 5] = ["a", "b", "c", "d", "e"];
/// The classes that records have.
pub(crate) const CLASSES: [DataClass; 2] = [DataClass::Identity, DataClass::Contact];

/// A chosen number, of what there is.
pub(crate) type Pick = usize;

/// One step.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Enrol,
    EnrolAgain,
    Issue(Pick, Order),
    RotateToken { by: Pick, which: Pick, overlap_hours: u64 },
    Revoke { by: Pick, which: Pick, is_confirmed: bool },
    Put { by: Pick, record: Pick, classes: Vec<DataClass> },
    Get { by: Pick, record: Pick, reveal: Reveal },
    Delete { by: Pick, record: Pick },
    UseElsewhere(Pick),
    RotateCipher,
    RotateRoot,
    Mark(Vec<DataClass>),
    Lend(Pick, Loaned),
    Work,
    WorkOff,
    Pause(Pick),
    Resume(Pick),
    Cancel(Pick),
    LockAndUnlock,
    Restart,
    Wait { hours: u64 },
    WaitAMinute,
}

/// What a customer asks of a new customer token.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) kind: CustomerTokenKind,
    pub(crate) classes: Option<Vec<DataClass>>,
    pub(crate) operations: Option<OperationSet>,
    pub(crate) expires_hours: Option<u64>,
}

/// What a customer lends.
#[derive(Clone, Debug)]
pub(crate) struct Loaned {
    /// All when none are named.
    pub(crate) classes: Vec<DataClass>,
    pub(crate) hours: u64,
    pub(crate) is_dry_run: bool,
}

/// A sequence of steps.
pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    vec(step(), 1..60)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        30 => records(),
        22 => tokens(),
        16 => keys(),
        14 => operations(),
        8 => events(),
    ]
}

fn records() -> impl Strategy<Value = Step> {
    let reveal = prop_oneof![
        4 => Just(Reveal::Plain), 2 => Just(Reveal::Masked), 1 => Just(Reveal::Redacted)
    ];
    let (by, record) = (who, any::<Pick>);
    prop_oneof![
        5 => (by(), record(), classes())
            .prop_map(|(by, record, classes)| Step::Put { by, record, classes }),
        5 => (by(), record(), reveal)
            .prop_map(|(by, record, reveal)| Step::Get { by, record, reveal }),
        2 => (by(), record()).prop_map(|(by, record)| Step::Delete { by, record }),
        1 => by().prop_map(Step::UseElsewhere),
    ]
}

fn tokens() -> impl Strategy<Value = Step> {
    let (by, which) = (who, who);
    let rotate = (by(), which(), 0..12_u64);
    let revoke = (by(), which(), any::<bool>());
    prop_oneof![
        5 => (by(), order()).prop_map(|(by, order)| Step::Issue(by, order)),
        3 => rotate.prop_map(|(by, which, overlap_hours)| {
            Step::RotateToken { by, which, overlap_hours }
        }),
        2 => revoke.prop_map(|(by, which, is_confirmed)| Step::Revoke { by, which, is_confirmed }),
        1 => prop_oneof![Just(Step::Enrol), Just(Step::EnrolAgain)],
    ]
}

fn order() -> impl Strategy<Value = Order> {
    let operations = vec(proptest::sample::select(&TokenOperation::ALL[..]), 1..6)
        .prop_map(|operations| operations.into_iter().collect());
    let operations = option::weighted(0.4, operations);
    let kind = proptest::sample::select(&CustomerTokenKind::ALL[..]);
    let expires_hours = option::weighted(0.3, 0..40_u64);
    (kind, option::weighted(0.3, classes()), operations, expires_hours).prop_map(
        |(kind, classes, operations, expires_hours)| Order {
            kind,
            classes,
            operations,
            expires_hours,
        },
    )
}

fn keys() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => Just(Step::RotateCipher),
        1 => Just(Step::RotateRoot),
        3 => classes().prop_map(Step::Mark),
    ]
}

fn operations() -> impl Strategy<Value = Step> {
    let classes = prop_oneof![Just(Vec::new()), classes()];
    let loaned = (classes, 0..27_u64, proptest::bool::weighted(0.1))
        .prop_map(|(classes, hours, is_dry_run)| Loaned { classes, hours, is_dry_run });
    prop_oneof![
        5 => (who(), loaned).prop_map(|(by, loaned)| Step::Lend(by, loaned)),
        6 => Just(Step::Work),
        2 => Just(Step::WorkOff),
        1 => any::<Pick>().prop_map(Step::Pause),
        2 => any::<Pick>().prop_map(Step::Resume),
        1 => any::<Pick>().prop_map(Step::Cancel),
    ]
}

fn events() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => Just(Step::Restart),
        2 => Just(Step::LockAndUnlock),
        2 => (1..8_u64).prop_map(|hours| Step::Wait { hours }),
        2 => Just(Step::WaitAMinute),
    ]
}

/// A customer token; half of the time the first of the tenant that enrolled last, who may do all, or
/// one of the next.
fn who() -> impl Strategy<Value = Pick> {
    prop_oneof![3 => Just(0), 2 => 0..5_usize, 5 => any::<Pick>()]
}

/// One or both.
fn classes() -> impl Strategy<Value = Vec<DataClass>> {
    let [one, other] = CLASSES;
    prop_oneof![2 => Just(vec![one, other]), 1 => Just(vec![one]), 1 => Just(vec![other])]
}
