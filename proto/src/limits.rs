//! Every limit of both doors, with its unit and its reason. Published at `GET /v1/limits`.

/// Bytes of a record: names and values together. Larger things are documents, not records.
pub const RECORD_BYTES_MAX: usize = 256 * 1024;
/// Bytes of one value.
pub const VALUE_BYTES_MAX: usize = 64 * 1024;
/// Fields of a record.
pub const RECORD_FIELDS_MAX: usize = 256;
/// Bytes of a field name.
pub const FIELD_NAME_BYTES_MAX: usize = 128;
/// Bytes of a record id.
pub const RECORD_ID_BYTES_MAX: usize = 128;
/// Bytes of a collection name.
pub const COLLECTION_NAME_BYTES_MAX: usize = 63;
/// Bytes of a caller's reference, which is echoed.
pub const REFERENCE_BYTES_MAX: usize = 128;
/// Bytes of a subject.
pub const SUBJECT_BYTES_MAX: usize = 256;
/// Bytes of a request id.
pub const REQUEST_ID_BYTES_MAX: usize = 64;
/// Bytes of an idempotency key.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 128;
/// Milliseconds an answer is kept for who repeats a write with an idempotency key: a day, enough
/// for whatever went wrong in a night to be repeated in the morning.
pub const IDEMPOTENCY_LIFETIME_MS: u64 = 24 * 60 * 60 * 1_000;
/// Bytes of a purpose.
pub const PURPOSE_BYTES_MAX: usize = 256;
/// Items of a batch: enough to hide the latency of a sync, small enough to hold in memory.
pub const BATCH_ITEMS_MAX: usize = 1_000;
/// Bytes of a gRPC message.
pub const MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Items of a page.
pub const PAGE_ITEMS_MAX: usize = 1_000;
/// Items of a page when the caller names no number.
pub const PAGE_ITEMS_DEFAULT: usize = 100;
/// Data classes, the width of a class set.
pub const DATA_CLASSES_MAX: usize = 16;
/// Customer tokens of a tenant: the bound on re-wrapping at a rotation.
pub const CUSTOMER_TOKENS_MAX: usize = 64;
/// Places beyond for those that replace others, so that a leaked one can be replaced where all
/// places are taken; and as many again for those that a recovery token issues, so that nobody can
/// take these.
pub const CUSTOMER_TOKENS_RESERVED: usize = 8;
/// Bytes of a customer token's name.
pub const CUSTOMER_TOKEN_NAME_BYTES_MAX: usize = 64;
/// Milliseconds a customer token works beside the one that replaces it, unless asked otherwise: a
/// week, enough to hand out the new one.
pub const OVERLAP_DEFAULT_MS: u64 = 7 * 24 * 60 * 60 * 1_000;
/// Milliseconds it may be asked to: longer is no overlap.
pub const OVERLAP_MAX_MS: u64 = 90 * 24 * 60 * 60 * 1_000;
/// Entries of a tenant's list of source addresses.
pub const ALLOWED_ADDRESSES_MAX: usize = 64;
/// Declared fields of a policy.
pub const POLICY_FIELDS_MAX: usize = 1_024;
/// Info types that a policy defines.
pub const POLICY_INFO_TYPES_MAX: usize = 32;
/// Words of an info type that a policy defines.
pub const INFO_TYPE_WORDS_MAX: usize = 16;
/// Bytes of such a word.
pub const INFO_TYPE_WORD_BYTES_MAX: usize = 64;
/// Fields that an inventory lists of a collection, each type and class of a field by itself: as many as
/// 16 records can have that share none, about a quarter of a gRPC message. Of others it counts the
/// values.
pub const INVENTORY_FIELDS_MAX: usize = 4_096;
/// Bytes of the header of an HTTP request.
pub const HTTP_HEADER_BYTES_MAX: usize = 16 * 1024;
/// Concurrent streams of an HTTP/2 connection.
pub const CONNECTION_STREAMS_MAX: u32 = 128;
/// Milliseconds a unary request may take.
pub const REQUEST_DEADLINE_MS: u64 = 30_000;
/// Milliseconds a call may take that looks through a whole database.
pub const LONG_CALL_DEADLINE_MS: u64 = 600_000;
/// Milliseconds a stream or connection may be idle.
pub const IDLE_TIMEOUT_MS: u64 = 30_000;
/// Milliseconds of a TLS handshake.
pub const TLS_HANDSHAKE_TIMEOUT_MS: u64 = 5_000;
/// Milliseconds an enrolment code works: three days, enough to hand it over by post or telephone.
pub const ENROLMENT_CODE_LIFETIME_MS: u64 = 3 * 24 * 60 * 60 * 1_000;
/// Bytes of a user's name.
pub const USER_NAME_BYTES_MAX: usize = 63;
/// Bytes of a user's password at least: what is shorter is guessed (NIST SP 800-63B §5.1.1).
pub const PASSWORD_BYTES_MIN: usize = 12;
/// Bytes of a user's password at most: enough for a sentence, no burden on who hashes it.
pub const PASSWORD_BYTES_MAX: usize = 128;
/// Users of a tenant: people and machines that call for it, not its customers.
pub const USERS_MAX: usize = 256;
/// Milliseconds a user's session lasts: a quarter of an hour, after which the edge logs in again.
pub const SESSION_LIFETIME_MS: u64 = 15 * 60 * 1_000;
/// Milliseconds a one-time password works: three days, enough to hand it over.
pub const ONE_TIME_PASSWORD_LIFETIME_MS: u64 = 3 * 24 * 60 * 60 * 1_000;
/// Bytes of a session's text: its parts, encoded, are less.
pub const SESSION_BYTES_MAX: usize = 512;
/// Certificates of a client's chain, leaf included.
pub const CERTIFICATE_CHAIN_MAX: usize = 4;
/// Bytes of one certificate.
pub const CERTIFICATE_BYTES_MAX: usize = 16 * 1024;
/// Requests a second of a tenant, unless its operator sets another: no customer of one office needs
/// as many, and one vault does a multiple.
pub const TENANT_REQUESTS_PER_SECOND: u32 = 4_000;
/// Requests a second of one user, unless set otherwise.
pub const USER_REQUESTS_PER_SECOND: u32 = 2_000;
/// Requests a second with one customer token, unless set otherwise.
pub const CUSTOMER_TOKEN_REQUESTS_PER_SECOND: u32 = 2_000;
/// Requests a second from one address, unless set otherwise.
pub const ADDRESS_REQUESTS_PER_SECOND: u32 = 2_000;
/// Seconds' worth of requests that may come at once.
pub const BURST_SECONDS: u32 = 2;
/// Requests a second, or at once, that can be set at most: beyond it is no limit.
pub const RATE_MAX: u32 = 1_000_000;
/// Records a tenant is shown plain a day, unless set otherwise: a whole database of usual size.
pub const REVEALS_PER_DAY: u64 = 1_000_000;
/// Searches of a tenant a day, unless set otherwise.
pub const SEARCHES_PER_DAY: u64 = 100_000;
/// Reveals or searches a day that can be set at most: beyond it is no limit.
pub const BUDGET_MAX: u64 = 1_000_000_000_000;
/// Per cent of a budget at whose use an operator is told.
pub const BUDGET_ALARM_PER_CENT: u64 = 80;
/// Rates that are remembered of each kind; of more, those that rest are forgotten, and begin anew.
pub const RATES_REMEMBERED_MAX: usize = 65_536;
