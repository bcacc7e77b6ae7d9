//! How fast records are screened on one core, beside what cannot be beaten.
//!
//! It promises CPU time of this thread, not of the clock, so that what else runs on the machine does
//! least harm. It relies on bytes being counted as those of the record written as JSON.

use std::{fs, ops::ControlFlow, path::PathBuf, sync::Arc};

use rustix::time::{ClockId, clock_gettime};
use tresor_proto::{FieldName, InfoType, Policy};
use tresor_screening::{
    Report, Screener, Value,
    reader::{self, Charset, Format, Record, Row},
};

use crate::{
    ceilings,
    table::{percent, whole},
};

/// Records that are screened again and again.
struct Batch {
    names: Arc<[FieldName]>,
    records: Vec<Vec<String>>,
    bytes: usize,
}

/// How often, how long, and what.
pub(crate) struct Clock {
    pub(crate) seconds: f64,
    pub(crate) rounds: usize,
    /// What the title of a line is to hold, unless all are measured.
    pub(crate) only: Option<String>,
}

/// The results: passes over the batch for each second.
type Passes = f64;

pub(crate) fn run(file: Option<PathBuf>, clock: &Clock) {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../examples/planning_de.csv");
    let csv = fs::read(file.unwrap_or_else(|| example.into())).expect("a file");
    let batch = Batch::read(&csv);
    let records = batch.records.len();
    println!("{}", describe());
    println!(
        "{records} records, {} bytes each as JSON, {} fields.\n",
        batch.bytes / records,
        batch.names.len()
    );
    println!("| one core | records/s | MB/s | bytes |");
    println!("|---|--:|--:|--:|");
    let notes = batch.columns(&batch.notes());
    let values = batch.columns(&batch.others(&batch.notes()));
    let whole_record = measure(&batch, clock, "screened, names known");
    measure(&batch.scrambled(), clock, "screened, names scrambled");
    measure(&values, clock, "values only, names known");
    measure(&values.scrambled(), clock, "values only, names scrambled");
    measure(&notes, clock, "notes only, names known");
    measure(&notes.scrambled(), clock, "notes only, names scrambled");
    measure_reported(&batch, clock);
    measure_read(&batch, clock, &csv);
    measure_ceilings(&batch, clock);
    if clock.only.is_none() {
        shares(&batch, clock, whole_record);
    }
}

fn describe() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").expect("the CPUs");
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
    let load = fs::read_to_string("/proc/loadavg").expect("the load");
    let load: Vec<&str> = load.split(' ').take(3).collect();
    format!("{}, load averages {}.", model.trim_matches([' ', '\t', ':']), load.join(" "))
}

impl Batch {
    fn read(csv: &[u8]) -> Self {
        let mut records = Vec::new();
        let mut names: Arc<[FieldName]> = Arc::new([]);
        let mut sink = |row: Row| {
            let record: Record = row.result.expect("a record");
            names = record.names;
            let values = record.values.iter().map(|v| v.as_text().unwrap_or_default().to_owned());
            records.push(values.collect());
            ControlFlow::Continue(())
        };
        reader::read(Format::Csv(Charset::Utf8), csv, &mut sink).expect("CSV");
        Self::new(names, records)
    }

    fn new(names: Arc<[FieldName]>, records: Vec<Vec<String>>) -> Self {
        let bytes = records.iter().map(|values| json(&names, values).len()).sum();
        Self { names, records, bytes }
    }

    /// Where free text is.
    fn notes(&self) -> Vec<usize> {
        let policy = Policy::default();
        let values: Vec<_> = self.records[0].iter().map(|text| Value::Text(text)).collect();
        let mut screener = Screener::new(&policy);
        let verdicts = screener.screen(&self.names, &values).verdicts;
        let is_note = |at: &usize| verdicts[*at].info_type == Some(InfoType::FreeText);
        (0..verdicts.len()).filter(is_note).collect()
    }

    fn others(&self, columns: &[usize]) -> Vec<usize> {
        (0..self.names.len()).filter(|at| !columns.contains(at)).collect()
    }

    /// The same records with only some of their fields.
    fn columns(&self, columns: &[usize]) -> Self {
        let names = columns.iter().map(|at| self.names[*at].clone()).collect();
        let pick = |values: &Vec<String>| columns.iter().map(|at| values[*at].clone()).collect();
        Self::new(names, self.records.iter().map(pick).collect())
    }

    fn scrambled(&self) -> Self {
        let names =
            (0..self.names.len()).map(|at| FieldName::parse(&format!("zq{at}x")).expect("a name"));
        Self::new(names.collect(), self.records.clone())
    }

    /// The values as they are given to screening.
    fn values(&self) -> Vec<Vec<Value<'_>>> {
        let records = self.records.iter();
        records.map(|values| values.iter().map(|text| Value::Text(text)).collect()).collect()
    }
}

fn json(names: &[FieldName], values: &[String]) -> String {
    let fields = names.iter().zip(values);
    let fields = fields.map(|(name, value)| (name.as_str().to_owned(), value.as_str().into()));
    serde_json::Value::Object(fields.collect()).to_string()
}

impl Clock {
    /// The best of some rounds of calling `pass` for some time; 0 of what is not asked for.
    fn passes(&self, title: &str, mut pass: impl FnMut()) -> Passes {
        if self.only.as_ref().is_some_and(|only| !title.contains(only)) {
            return 0.0;
        }
        pass();
        let rounds = (0..self.rounds).map(|_| self.round(&mut pass));
        rounds.fold(0.0, f64::max)
    }

    fn round(&self, pass: &mut impl FnMut()) -> Passes {
        let (started, mut passes) = (cpu_seconds(), 0);
        loop {
            pass();
            passes += 1;
            let spent = cpu_seconds() - started;
            if spent >= self.seconds {
                return f64::from(passes) / spent;
            }
        }
    }
}

/// CPU seconds that this thread has used.
fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn measure(batch: &Batch, clock: &Clock, title: &str) -> Passes {
    let policy = Policy::default();
    let mut screener = Screener::new(&policy);
    let values = batch.values();
    let passes = clock.passes(title, || {
        for values in &values {
            std::hint::black_box(screener.screen(&batch.names, values));
        }
    });
    line(title, batch, passes);
    passes
}

fn measure_reported(batch: &Batch, clock: &Clock) {
    let policy = Policy::default();
    let (mut screener, mut report) = (Screener::new(&policy), Report::new());
    let values = batch.values();
    let passes = clock.passes("screened and reported", || {
        for values in &values {
            report.observe(&batch.names, screener.screen(&batch.names, values));
        }
    });
    line("screened and reported", batch, passes);
}

/// From the bytes of a file to verdicts.
fn measure_read(batch: &Batch, clock: &Clock, csv: &[u8]) {
    let ndjson: String = batch.records.iter().map(|v| json(&batch.names, v) + "\n").collect();
    let inputs =
        [("CSV", Format::Csv(Charset::Utf8), csv), ("NDJSON", Format::NdJson, ndjson.as_bytes())];
    for (title, format, input) in inputs {
        let (read_only, title) = (format!("{title} read"), format!("{title} read and screened"));
        let passes = clock.passes(&read_only, || read(format, input, &mut |_| {}));
        line(&read_only, batch, passes);
        let policy = Policy::default();
        let mut screener = Screener::new(&policy);
        let both = clock.passes(&title, || read_and(format, input, &mut screener));
        line(&title, batch, both);
    }
}

fn read(format: Format, input: &[u8], each: &mut dyn FnMut(&Record)) {
    let mut sink = |row: Row| {
        each(&row.result.expect("a record"));
        ControlFlow::Continue(())
    };
    reader::read(format, input, &mut sink).expect("a file");
}

fn read_and(format: Format, input: &[u8], screener: &mut Screener<'_>) {
    read(format, input, &mut |record| {
        let values: Vec<_> = record.values.iter().map(Value::from).collect();
        std::hint::black_box(screener.screen(&record.names, &values));
    });
}

fn measure_ceilings(batch: &Batch, clock: &Clock) {
    let records: Vec<String> = batch.records.iter().map(|v| json(&batch.names, v)).collect();
    for (title, ceiling) in ceilings::all() {
        let title = format!("ceiling: {title}");
        let passes = || records.iter().for_each(|record| ceiling(record.as_bytes()));
        line(&title, batch, clock.passes(&title, passes));
    }
}

fn line(title: &str, batch: &Batch, passes: Passes) {
    if passes == 0.0 {
        return;
    }
    let records = batch.records.len();
    let (per_second, bytes) = (passes * records as f64, passes * batch.bytes as f64);
    println!(
        "| {title} | {} | {:.1} | {} |",
        whole(per_second),
        bytes / 1e6,
        batch.bytes / records
    );
}

/// What each column costs, by itself.
fn shares(batch: &Batch, clock: &Clock, whole_record: Passes) {
    let records = batch.records.len() as f64;
    let clock = Clock { seconds: clock.seconds / 5.0, rounds: clock.rounds, only: None };
    let total = 1e9 / (whole_record * records);
    println!("\n{total:.0} ns a record; each column by itself, ns a value.\n");
    println!("| column | ns, name known | share | ns, name scrambled |");
    println!("|---|--:|--:|--:|");
    let mut lines = Vec::new();
    for at in 0..batch.names.len() {
        let column = batch.columns(&[at]);
        let [known, scrambled] = [&column, &column.scrambled()].map(|c| nanoseconds(c, &clock));
        let share = percent(known / total);
        let text = format!("| {} | {known:.0} | {share} | {scrambled:.0} |", batch.names[at]);
        lines.push((known, text));
    }
    lines.sort_by(|a, b| b.0.total_cmp(&a.0));
    lines.iter().for_each(|(_, line)| println!("{line}"));
}

fn nanoseconds(column: &Batch, clock: &Clock) -> f64 {
    let policy = Policy::default();
    let mut screener = Screener::new(&policy);
    let values = column.values();
    let passes = clock.passes("", || {
        for values in &values {
            std::hint::black_box(screener.screen(&column.names, values));
        }
    });
    1e9 / (passes * column.records.len() as f64)
}
