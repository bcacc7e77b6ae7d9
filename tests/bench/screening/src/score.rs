//! The runs of the scorer: over files, and over made-up records.

use std::path::PathBuf;

use crate::{
    forms::Form,
    gold,
    names::Origin,
    random::Random,
    sample::Sample,
    scorer::{Score, Tallies, score},
    table,
    twist::Twist,
};

/// Records that belong together: one file, or the records of one form.
struct File {
    data: String,
    samples: Vec<Sample>,
}

/// Scores files with the answers in them.
pub(crate) fn files(paths: &[PathBuf], show: usize) {
    let file = |path: &PathBuf| File {
        data: path.file_name().expect("a file").to_string_lossy().into_owned(),
        samples: gold::read(path),
    };
    let files: Vec<File> = paths.iter().map(file).collect();
    let groups: Vec<&[File]> = files.chunks(1).collect();
    run(&groups, show);
}

/// Scores made-up records.
pub(crate) fn generated(
    forms: impl Iterator<Item = &'static Form>,
    records: usize,
    seed: u64,
    show: usize,
) {
    let forms: Vec<&Form> = forms.collect();
    println!("{records} records of each form, seed {seed}.\n");
    let made = [("common names", Origin::Common), ("invented names", Origin::Invented)].map(
        |(name, origin)| {
            let file = |form: &&Form| {
                let mut random = Random::seeded(seed);
                let samples = (0..records).map(|_| form.sample(origin, &mut random));
                let language = form.name.rsplit(' ').next().unwrap_or_default();
                File { data: format!("{language}, {name}"), samples: samples.collect() }
            };
            let mut files: Vec<File> = forms.iter().map(file).collect();
            files.sort_by(|a, b| a.data.cmp(&b.data));
            files
        },
    );
    let groups: Vec<&[File]> =
        made.iter().flat_map(|f| f.chunk_by(|a, b| a.data == b.data)).collect();
    run(&groups, show);
}

/// Scores groups of files, each group on a line of its own for each twist.
fn run(groups: &[&[File]], show: usize) {
    table::summary_head();
    let mut all: [Score; 4] = std::array::from_fn(|_| Score::default());
    for files in groups {
        for (twist, all) in Twist::ALL.into_iter().zip(&mut all) {
            let mut sum = Score::default();
            for file in *files {
                sum.add(score(&twisted(&file.samples, twist), show));
            }
            table::summary(&files[0].data, twist.name(), &sum);
            all.add(sum);
        }
    }
    for (twist, all) in Twist::ALL.into_iter().zip(&all) {
        table::summary("**all**", twist.name(), all);
    }
    let values: Vec<&Tallies> = all.iter().map(|score| &score.values).collect();
    table::kinds(&Twist::ALL.map(Twist::name), &values);
    println!("Inside of notes:");
    table::kinds(&["given", "scrambled"], &[&all[0].spans, &all[1].spans]);
    for (twist, all) in Twist::ALL.into_iter().zip(&all).filter(|_| show > 0) {
        println!("\nField names {}:", twist.name());
        table::mistakes(all);
    }
}

fn twisted(samples: &[Sample], twist: Twist) -> Vec<Sample> {
    let mut random = Random::seeded(1);
    samples.iter().map(|sample| twist.apply(sample.clone(), &mut random)).collect()
}
