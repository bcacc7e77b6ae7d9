//! The vault against a model of its keys: random sequences of what customers and operators do with
//! customer tokens, keys, loans and records, through restarts and locks, each answer foretold.
//!
//! A sequence that fails is printed with its seed, cut down to the steps that matter.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]
#![allow(clippy::wildcard_enum_match_arm, reason = "the rest is the rest")]

#[path = "key_model/model.rs"]
mod model;
#[path = "key_model/pair.rs"]
mod pair;
#[path = "../../tests/fuzz/random.rs"]
#[allow(dead_code, reason = "shared; each test uses a part")]
mod random;
#[path = "key_model/step.rs"]
mod step;
#[path = "key_model/world.rs"]
mod world;

use std::cell::RefCell;

use pair::Pair;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use random::{Random, cases};
use step::{Step, steps};
use tresor_vault::store::StoreEngine;
use world::World;

/// Runs of shorter sequences, to find the shortest that still fails.
const SHRINKS_MAX: u32 = 400;

/// One vault for many sequences, each with tenants of its own; another one after a failure.
async fn run(world: &RefCell<Option<World>>, engine: StoreEngine, steps: Vec<Step>) {
    let taken = world.borrow_mut().take();
    let taken = match taken {
        Some(taken) => taken,
        None => World::build(engine).await,
    };
    let mut pair = Pair::new(taken).await;
    for step in steps {
        pair.step(step).await;
    }
    *world.borrow_mut() = Some(pair.finish().await);
}

fn compare(engine: StoreEngine, sequences: usize) {
    let seed = Random::of_this_run().bytes(32);
    let config = Config {
        cases: u32::try_from(sequences).unwrap(),
        failure_persistence: None,
        max_shrink_iters: SHRINKS_MAX,
        ..Config::default()
    };
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(config, random);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let world = RefCell::new(None);
    let outcome = runner.run(&steps(), |steps| {
        runtime.block_on(run(&world, engine, steps));
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

#[test]
fn a_vault_on_redb_answers_as_its_keys_model() {
    compare(StoreEngine::Redb, cases(150, 4_000));
}

#[test]
fn a_vault_on_sled_answers_as_its_keys_model() {
    compare(StoreEngine::Sled, cases(40, 1_000));
}
