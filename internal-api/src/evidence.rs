//! What an edge saw of a customer's client, verified here again: the edge is not believed.
//!
//! Chain, usage and name are verified by the same authority as the handshake's; a verified chain
//! is remembered for a minute, and the bounds of its validity are checked on every call.

use std::{net::IpAddr, sync::Arc};

use quick_cache::{Weighter, sync::Cache};
use tresor_door::{Authority, PeerName};
use tresor_proto::{
    CertificateName, Failure, RefusalReason, Session,
    limits::{CERTIFICATE_BYTES_MAX, CERTIFICATE_CHAIN_MAX},
    vault,
};
use tresor_vault::{Caller, clock::Clock};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;
use zeroize::Zeroizing;

/// How long a verified chain is remembered, unless authorities or revocations are reloaded.
const REMEMBERED_MS: u64 = 60_000;
/// Bytes of chains remembered: some thousand clients.
const REMEMBERED_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Chains the memory is sized for.
const REMEMBERED_CHAINS: usize = 4_096;

/// A client's certificate with its chain, and where the client came from.
pub(crate) struct Evidence {
    chain: Chain,
    source_address: IpAddr,
    session: Option<Arc<Session>>,
}

/// Verifies evidence.
pub(crate) struct EvidenceCheck {
    authority: Authority,
    clock: Arc<dyn Clock>,
    remembered: Cache<Chain, Verified, ByBytes>,
}

/// Certificates, leaf first, DER. The whole of them is the key of the memory: two chains that
/// differ in a bit are two chains.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Chain(Vec<Vec<u8>>);

/// What verifying a chain found.
#[derive(Clone)]
struct Verified {
    peer: PeerName,
    verified_ms: u64,
    /// Of the authority that verified it: after a reload it is verified again.
    generation: u64,
    not_before_ms: u64,
    not_after_ms: u64,
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<Chain, Verified> for ByBytes {
    fn weight(&self, chain: &Chain, _: &Verified) -> u64 {
        let bytes = chain.0.iter().map(Vec::len).sum::<usize>();
        u64::try_from(bytes).unwrap_or(u64::MAX).max(1)
    }
}

impl TryFrom<vault::ClientEvidence> for Evidence {
    type Error = Failure;

    fn try_from(wire: vault::ClientEvidence) -> Result<Self, Failure> {
        let source_address = wire.source_address.parse::<IpAddr>().map_err(|_| {
            Failure::invalid("context.evidence.source_address", "not an IP address")
        })?;
        let chain = [vec![wire.leaf_der], wire.chain_der].concat();
        let is_over = |der: &Vec<u8>| der.len() > CERTIFICATE_BYTES_MAX;
        if chain.len() > CERTIFICATE_CHAIN_MAX || chain.iter().any(is_over) {
            return Err(Failure::from(RefusalReason::EvidenceInvalid));
        }
        Ok(Self {
            chain: Chain(chain),
            source_address: source_address.to_canonical(),
            session: parse_session(wire.session)?,
        })
    }
}

/// A malformed session is refused like a wrong one.
fn parse_session(text: String) -> Result<Option<Arc<Session>>, Failure> {
    if text.is_empty() {
        return Ok(None);
    }
    let session = Session::parse(Zeroizing::new(text));
    Ok(Some(Arc::new(session.ok_or(RefusalReason::SessionInvalid)?)))
}

impl EvidenceCheck {
    /// Verifies against `authority`.
    pub(crate) fn new(authority: Authority, clock: Arc<dyn Clock>) -> Self {
        let remembered = Cache::with_weighter(REMEMBERED_CHAINS, REMEMBERED_BYTES_MAX, ByBytes);
        Self { authority, clock, remembered }
    }

    /// The client the evidence shows.
    ///
    /// # Errors
    /// `unauthenticated` for anything but a valid certificate of a tenant's client.
    pub(crate) fn client(&self, evidence: &Evidence) -> Result<Caller, Failure> {
        let refused = || Failure::from(RefusalReason::EvidenceInvalid);
        let verified = self.verified(&evidence.chain).ok_or_else(refused)?;
        match verified.peer.name {
            CertificateName::Client { tenant, client } => Ok(Caller::Client {
                tenant,
                client,
                certificate_digest: verified.peer.certificate_digest,
                source_address: evidence.source_address,
                session: evidence.session.clone(),
            }),
            CertificateName::Service(_) => Err(refused()),
        }
    }

    /// Looks for what was revoked, for ever.
    pub(crate) async fn keep_fresh(&self) {
        self.authority.keep_fresh().await;
    }

    fn verified(&self, chain: &Chain) -> Option<Verified> {
        let now_ms = self.clock.now_ms();
        let generation = self.authority.generation();
        let is_fresh =
            |verified: &Verified| verified.generation == generation && verified.is_fresh(now_ms);
        let verified = match self.remembered.get(chain).filter(is_fresh) {
            Some(verified) => verified,
            None => self.verify(chain, now_ms)?,
        };
        verified.is_valid(now_ms).then_some(verified)
    }

    fn verify(&self, chain: &Chain, now_ms: u64) -> Option<Verified> {
        let (leaf, intermediates) = chain.0.split_first()?;
        // Read before the check, so that what is reloaded meanwhile makes it old.
        let generation = self.authority.generation();
        let peer = self.authority.verify(leaf, intermediates).ok()?;
        let bounds = chain.0.iter().map(|der| validity_ms(der));
        let bounds = bounds.collect::<Option<Vec<_>>>()?;
        let verified = Verified {
            peer,
            verified_ms: now_ms,
            generation,
            not_before_ms: bounds.iter().map(|(not_before, _)| *not_before).max()?,
            not_after_ms: bounds.iter().map(|(_, not_after)| *not_after).min()?,
        };
        self.remembered.insert(chain.clone(), verified.clone());
        Some(verified)
    }
}

impl Verified {
    fn is_fresh(&self, now_ms: u64) -> bool {
        (self.verified_ms..self.verified_ms.saturating_add(REMEMBERED_MS)).contains(&now_ms)
    }

    fn is_valid(&self, now_ms: u64) -> bool {
        (self.not_before_ms..=self.not_after_ms).contains(&now_ms)
    }
}

/// The first and the last millisecond a certificate is valid; the last second counts whole
/// (RFC 5280 §4.1.2.5).
fn validity_ms(der: &[u8]) -> Option<(u64, u64)> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let validity = certificate.validity();
    let ms = |seconds: i64| u64::try_from(seconds.max(0)).ok()?.checked_mul(1_000);
    let not_before = ms(validity.not_before.timestamp())?;
    let not_after = ms(validity.not_after.timestamp())?.checked_add(999)?;
    Some((not_before, not_after))
}

#[cfg(test)]
mod tests;
