//! Whatever is sent as a certificate, only what an authority signed names somebody; nothing panics.

use crate::{
    random::{Random, cases},
    testing::{CLIENT, House, SERVICE, Wish, trust_domain},
};

#[test]
fn an_edited_certificate_names_nobody() {
    let house = House::new();
    let authority = house.authority();
    let samples = [house.der(&Wish::client(&[CLIENT])), house.der(&Wish::service())];
    let mut random = Random::of_this_run();
    for _ in 0..cases(10_000, 1_000_000) {
        let sample = random.pick(&samples);
        let der = random.mutated(sample);
        assert_eq!(authority.verify(&der, &[]).is_ok(), der == *sample);
    }
}

#[test]
fn every_flipped_bit_and_every_cut_of_a_certificate_is_refused() {
    let house = House::new();
    let authority = house.authority();
    let mut der = house.der(&Wish::client(&[CLIENT]));
    assert!(authority.verify(&der, &[]).is_ok());
    for bit in 0..der.len() * 8 {
        der[bit / 8] ^= 1 << (bit % 8);
        assert!(authority.verify(&der, &[]).is_err(), "bit {bit}");
        der[bit / 8] ^= 1 << (bit % 8);
    }
    for length in 0..der.len() {
        assert!(authority.verify(&der[..length], &[]).is_err(), "{length} bytes");
    }
}

#[test]
fn an_edited_chain_never_makes_another_name() {
    let house = House::new();
    let authority = house.authority();
    let (client, service) = (house.der(&Wish::client(&[CLIENT])), house.der(&Wish::service()));
    let mut random = Random::of_this_run();
    for _ in 0..cases(2_000, 200_000) {
        let chain: Vec<_> = (0..random.below(4)).map(|_| random.mutated(&service)).collect();
        if let Ok(peer) = authority.verify(&client, &chain) {
            assert_eq!(peer.name.to_uri(&trust_domain()), CLIENT);
            assert_ne!(peer.name.to_uri(&trust_domain()), SERVICE);
        }
    }
}
