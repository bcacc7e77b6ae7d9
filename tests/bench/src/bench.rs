//! The run of one engine: every line once a round, so that a busy moment of the machine falls on
//! all of them.

use tokio::runtime::Runtime;

use crate::{
    Engine, Plan,
    bare::Bare,
    cells::{Bench, Cell, Line},
    premises::Premises,
    report,
    sample::Sample,
    upload,
};

/// Connections of uploads.
const UPLOAD_CONNECTIONS: [usize; 2] = [1, 8];

/// Measures one engine and prints its tables.
pub(crate) fn run(runtime: &Runtime, engine: Engine, plan: &Plan) {
    let premises = Premises::open(engine.name());
    let directory = premises.bare_directory();
    let mut bench = runtime.block_on(async {
        let bare = Bare::prepare(engine.store(), &directory).await;
        Bench::prepare(premises, bare).await
    });
    let mut lines: Vec<(Cell, Line)> = Cell::all()
        .into_iter()
        .filter(|cell| cell.name().contains(&plan.only))
        .map(|cell| (cell, Line::default()))
        .collect();
    let mut uploads = [Sample::default(); UPLOAD_CONNECTIONS.len()];
    for round in 1..=plan.rounds {
        eprintln!("{}: round {round} of {}", engine.name(), plan.rounds);
        for (cell, line) in &mut lines {
            runtime.block_on(cell.round(&mut bench, plan, line));
        }
        for (connections, sum) in UPLOAD_CONNECTIONS.into_iter().zip(&mut uploads) {
            if "upload".contains(&plan.only) {
                *sum += runtime.block_on(upload::round(&mut bench, plan, connections));
            }
        }
    }
    println!("\n## {}, {} bytes a row\n", engine.name(), bench.bare.row_bytes());
    report::print(&lines);
    if "upload".contains(&plan.only) {
        report::print_uploads(&UPLOAD_CONNECTIONS.into_iter().zip(uploads).collect::<Vec<_>>());
    }
}
