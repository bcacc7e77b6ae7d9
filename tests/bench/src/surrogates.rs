//! Tokenize and Detokenize: one line of the table each, by batch and connections, in single calls
//! and over streams.

use std::sync::Arc;

use tokio::runtime::Runtime;
use tonic::transport::Channel;

use crate::{
    Engine, Plan,
    bare_trades::BareTrades,
    premises::Premises,
    sample::{Sample, closed_loop},
    trade_report,
    traders::Trader,
    trades::{Deck, Trade},
};

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    pub(crate) trade: Trade,
    pub(crate) batch: usize,
    pub(crate) connections: usize,
}

/// The measurements of a line, added up over the rounds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Line {
    /// Single calls, then a stream: the vault's and the echo's.
    pub(crate) vault: [Sample; 2],
    pub(crate) echo: [Sample; 2],
    /// Bare issuing or disclosing.
    pub(crate) keys: Sample,
    pub(crate) store: Sample,
}

/// What all lines of one engine share.
struct Bench {
    premises: Premises,
    bare: BareTrades,
    deck: Deck,
}

/// Measures one engine and prints its tables.
pub(crate) fn run(runtime: &Runtime, engine: Engine, plan: &Plan, loaded: u64) {
    let premises = Premises::open(engine.name());
    let mut bench = runtime.block_on(Bench::prepare(premises, engine, loaded));
    let cells = Cell::all().into_iter().filter(|cell| cell.name().contains(&plan.only));
    let mut lines: Vec<_> = cells.map(|cell| (cell, Line::default())).collect();
    for round in 1..=plan.rounds {
        eprintln!("{}: round {round} of {}", engine.name(), plan.rounds);
        for (cell, line) in &mut lines {
            runtime.block_on(cell.round(&mut bench, plan, line));
        }
    }
    println!("\n## {}, {} bytes a surrogate's row\n", engine.name(), bench.bare.row_bytes());
    trade_report::print(&lines);
}

impl Bench {
    /// Prepares the ceilings, and makes the surrogates that are traded back.
    async fn prepare(premises: Premises, engine: Engine, loaded: u64) -> Self {
        let directory = premises.bare_directory();
        let bare = BareTrades::prepare(engine.store(), &directory, loaded).await;
        let mut deck = Deck::new(premises.context(), loaded);
        let channel = premises.vault_channels(1).await.remove(0);
        let trader = Trader::unary(channel, premises.context());
        let mut made = Vec::new();
        for trade in [Trade::Random, Trade::Preserving, Trade::Known] {
            let mut surrogates = Vec::new();
            for goods in deck.loads(trade) {
                surrogates.extend(trader.clone().trade(trade, goods).await);
            }
            made.push(Arc::new(surrogates));
        }
        deck.surrogates = [Arc::clone(&made[0]), Arc::clone(&made[1])];
        Self { premises, bare, deck }
    }
}

impl Cell {
    fn all() -> Vec<Self> {
        let mut cells = Vec::new();
        for trade in Trade::ALL {
            for batch in [1, 100, 1_000] {
                for connections in [1, 8] {
                    cells.push(Self { trade, batch, connections });
                }
            }
        }
        cells
    }

    pub(crate) fn name(&self) -> String {
        format!("{}, {} × {}", self.trade.name(), self.batch, self.connections)
    }

    /// One round: the vault and the echo in both ways, then the other ceilings.
    async fn round(&self, with: &mut Bench, plan: &Plan, line: &mut Line) {
        let vault = with.premises.vault_process();
        let channels = with.premises.vault_channels(self.connections).await;
        let sums = self.both_ways(&with.deck, vault, channels, plan).await;
        line.vault.iter_mut().zip(sums).for_each(|(sum, sample)| *sum += sample);
        let echo = with.premises.echo_process();
        let channels = with.premises.echo_channels(self.connections).await;
        let sums = self.both_ways(&with.deck, echo, channels, plan).await;
        line.echo.iter_mut().zip(sums).for_each(|(sum, sample)| *sum += sample);
        line.keys += with.bare.keys(self.trade, plan.duration() / 2);
        let size = (self.batch, self.connections);
        line.store += with.bare.store(self.trade, plan.duration(), size).await;
    }

    async fn both_ways(
        &self,
        deck: &Deck,
        process: u32,
        channels: Vec<Channel>,
        plan: &Plan,
    ) -> [Sample; 2] {
        let (mut unary, mut streams) = (Vec::new(), Vec::new());
        for channel in channels {
            let context = deck.context.clone();
            unary.push(Trader::unary(channel.clone(), context.clone()));
            streams.push(Trader::stream(channel, context, self.trade).await);
        }
        let [unary, streams] = [unary, streams].map(|traders| {
            let (deck, Self { trade, batch, .. }) = (deck.clone(), *self);
            let call = move |trader: Trader, turn: usize| {
                let goods = deck.goods(trade, batch, turn);
                async move { trader.trade(trade, goods).await.len() as u64 }
            };
            async move { closed_loop(&[process], plan.duration(), &traders, call).await }
        });
        [unary.await, streams.await]
    }
}
