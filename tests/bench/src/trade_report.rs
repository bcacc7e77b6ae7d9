//! The tables of surrogates, in Markdown.

use crate::{
    report::{share, whole},
    sample::Sample,
    surrogates::{Cell, Line},
};

/// Prints the lines: per second of the server's CPU, then per second of the clock.
pub(crate) fn print(lines: &[(Cell, Line)]) {
    println!(
        "Values for each second of server CPU; a share is of the ceiling before it, that of the \
         last three the share of single calls.\n"
    );
    println!(
        "| batch × connections | single calls | echo | share | stream | echo | share | keys | share | store | share | all three | share |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    for (cell, line) in lines {
        print!("| {}", cell.name());
        let [single, stream] = line.vault.map(|sample| sample.per_cpu());
        let [single_echo, stream_echo] = line.echo.map(|sample| sample.per_cpu());
        for (vault, echo) in [(single, single_echo), (stream, stream_echo)] {
            print!(" | **{}** | {} | {}", whole(vault), whole(echo), share(vault, echo));
        }
        let (keys, store) = (line.keys.per_cpu(), line.store.per_cpu());
        // One after the other on one core.
        let rates = [single_echo, keys, store].into_iter().filter(|rate| rate.is_finite());
        let all = 1.0 / rates.map(|rate| 1.0 / rate).sum::<f64>();
        for ceiling in [keys, store, all] {
            print!(" | {} | {}", whole(ceiling), share(single, ceiling));
        }
        println!(" |");
    }
    print_by_the_clock(lines);
}

fn print_by_the_clock(lines: &[(Cell, Line)]) {
    println!("\nValues for each second of the clock, clients on the same cores.\n");
    println!(
        "| batch × connections | single calls | ms a call | cores used | echo | share | store | share | stream | ms a batch | echo | share |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    for (cell, line) in lines {
        let [single, stream] = line.vault;
        let milliseconds =
            |sample: Sample| 1_000.0 * (cell.batch * cell.connections) as f64 / sample.per_wall();
        let cores = single.cpu / single.wall;
        let rate = single.per_wall();
        print!("| {} | **{}** | {:.2}", cell.name(), whole(rate), milliseconds(single));
        print!(" | {cores:.2}");
        for ceiling in [line.echo[0], line.store].map(|sample| sample.per_wall()) {
            print!(" | {} | {}", whole(ceiling), share(rate, ceiling));
        }
        let (rate, echo) = (stream.per_wall(), line.echo[1].per_wall());
        print!(" | **{}** | {:.2}", whole(rate), milliseconds(stream));
        println!(" | {} | {} |", whole(echo), share(rate, echo));
    }
}
