//! Memory over many records: whether it grows with what was seen.
//!
//! It promises records that do not come again: each from the generator, as it is needed. It relies
//! on `VmHWM`, the most this process ever had.

use std::{fs, sync::Arc};

use tresor_proto::{FieldName, Policy};
use tresor_screening::{Report, Screener, Value};

use crate::{
    forms::{self, Form},
    names::Origin,
    random::Random,
    table::whole,
};

/// One form: its names, and what screens its records.
struct Stream<'a> {
    form: &'static Form,
    names: Arc<[FieldName]>,
    screener: Screener<'a>,
    report: Report,
}

/// Screens `records` records, all forms in turn, and prints the memory at each power of ten.
pub(crate) fn run(records: u64) {
    let policy = Policy::default();
    let mut random = Random::seeded(20_261_122);
    let mut streams: Vec<_> = forms::all().map(|form| Stream::new(form, &policy)).collect();
    println!("| records | VmHWM KiB | VmRSS KiB |");
    println!("|--:|--:|--:|");
    let (mut next, mut turn) = (1, 0);
    for done in 0..=records {
        if done == next || done == records {
            println!("| {} | {} | {} |", whole(done as f64), memory("VmHWM:"), memory("VmRSS:"));
            next *= 10;
        }
        streams[turn].observe(&mut random);
        turn = (turn + 1) % streams.len();
    }
}

impl<'a> Stream<'a> {
    fn new(form: &'static Form, policy: &'a Policy) -> Self {
        let sample = form.sample(Origin::Invented, &mut Random::seeded(0));
        let names = sample.fields.iter().map(|f| FieldName::parse(&f.name).expect("a name"));
        let (screener, report) = (Screener::new(policy), Report::new());
        Self { form, names: names.collect(), screener, report }
    }

    fn observe(&mut self, random: &mut Random) {
        let sample = self.form.sample(Origin::Invented, random);
        let values: Vec<_> = sample.fields.iter().map(|f| Value::Text(&f.value)).collect();
        self.report.observe(&self.names, self.screener.screen(&self.names, &values));
    }
}

fn memory(which: &str) -> String {
    let status = fs::read_to_string("/proc/self/status").expect("the status");
    let line = status.lines().find_map(|line| line.strip_prefix(which)).expect("its memory");
    line.trim().trim_end_matches(" kB").to_owned()
}
