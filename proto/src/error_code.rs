use tonic::Code;

/// What went wrong, and whose fault it is: the one table behind gRPC statuses, HTTP statuses and
/// the documentation. The text travels as `google.rpc.ErrorInfo.reason` and as `code` of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "each variant is documented by its row of the table")]
pub enum ErrorCode {
    InvalidRequest,
    Unauthenticated,
    Forbidden,
    NotFound,
    Conflict,
    AlreadyExists,
    Gone,
    TooLarge,
    WrongKey,
    RejectedByPolicy,
    RateLimited,
    Overloaded,
    Locked,
    StorageUnavailable,
    DeadlineExceeded,
    UnsupportedMediaType,
    Integrity,
    Internal,
}

/// One row of the table.
struct Row {
    code: ErrorCode,
    text: &'static str,
    grpc: Code,
    http: u16,
    title: &'static str,
}

const fn row(
    code: ErrorCode,
    text: &'static str,
    grpc: Code,
    http: u16,
    title: &'static str,
) -> Row {
    Row { code, text, grpc, http, title }
}

/// In the order of the variants, which [`ErrorCode::row`] relies on and a test holds.
static TABLE: [Row; 18] = [
    row(
        ErrorCode::InvalidRequest,
        "invalid_request",
        Code::InvalidArgument,
        400,
        "invalid request",
    ),
    row(
        ErrorCode::Unauthenticated,
        "unauthenticated",
        Code::Unauthenticated,
        401,
        "invalid credential",
    ),
    row(ErrorCode::Forbidden, "forbidden", Code::PermissionDenied, 403, "not allowed"),
    row(ErrorCode::NotFound, "not_found", Code::NotFound, 404, "not found"),
    row(ErrorCode::Conflict, "conflict", Code::Aborted, 409, "conflict with another change"),
    row(ErrorCode::AlreadyExists, "already_exists", Code::AlreadyExists, 409, "already exists"),
    row(ErrorCode::Gone, "gone", Code::FailedPrecondition, 410, "expired or erased"),
    row(ErrorCode::TooLarge, "too_large", Code::OutOfRange, 413, "over a limit"),
    row(
        ErrorCode::WrongKey,
        "wrong_key",
        Code::FailedPrecondition,
        422,
        "the customer token does not open this class",
    ),
    row(
        ErrorCode::RejectedByPolicy,
        "rejected_by_policy",
        Code::FailedPrecondition,
        422,
        "rejected by the collection's policy",
    ),
    row(ErrorCode::RateLimited, "rate_limited", Code::ResourceExhausted, 429, "too many requests"),
    row(ErrorCode::Overloaded, "overloaded", Code::Unavailable, 503, "overloaded"),
    row(ErrorCode::Locked, "locked", Code::Unavailable, 503, "the vault is locked"),
    row(
        ErrorCode::StorageUnavailable,
        "storage_unavailable",
        Code::Unavailable,
        503,
        "storage unavailable",
    ),
    row(
        ErrorCode::DeadlineExceeded,
        "deadline_exceeded",
        Code::DeadlineExceeded,
        504,
        "deadline exceeded",
    ),
    row(
        ErrorCode::UnsupportedMediaType,
        "unsupported_media_type",
        Code::InvalidArgument,
        415,
        "unsupported media type",
    ),
    row(ErrorCode::Integrity, "integrity", Code::DataLoss, 500, "stored data do not authenticate"),
    row(ErrorCode::Internal, "internal", Code::Internal, 500, "internal error"),
];

impl ErrorCode {
    /// All codes, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.code)
    }

    fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }

    /// Its stable text, `snake_case`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.row().text
    }

    /// The code of a text; `None` for one this version does not know.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.text == text).map(|row| row.code)
    }

    /// The gRPC status it travels as.
    #[must_use]
    pub fn to_grpc(self) -> Code {
        self.row().grpc
    }

    /// The HTTP status it travels as.
    #[must_use]
    pub fn to_http(self) -> u16 {
        self.row().http
    }

    /// What it means, in a few words.
    #[must_use]
    pub fn title(self) -> &'static str {
        self.row().title
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::RateLimited | Self::Overloaded | Self::Locked | Self::StorageUnavailable
        )
    }

    /// The code of a status that carries none of ours: made by a proxy or by the transport.
    #[must_use]
    pub fn from_grpc(code: Code) -> Self {
        match code {
            Code::InvalidArgument | Code::Unimplemented => Self::InvalidRequest,
            Code::Unauthenticated => Self::Unauthenticated,
            Code::PermissionDenied => Self::Forbidden,
            Code::NotFound => Self::NotFound,
            Code::Aborted => Self::Conflict,
            Code::AlreadyExists => Self::AlreadyExists,
            Code::FailedPrecondition => Self::Gone,
            Code::OutOfRange => Self::TooLarge,
            Code::ResourceExhausted => Self::RateLimited,
            Code::Unavailable => Self::Overloaded,
            Code::DeadlineExceeded | Code::Cancelled => Self::DeadlineExceeded,
            Code::DataLoss => Self::Integrity,
            Code::Ok | Code::Unknown | Code::Internal => Self::Internal,
        }
    }
}

impl core::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_variants() {
        for (at, row) in TABLE.iter().enumerate() {
            assert_eq!(row.code as usize, at);
            assert_eq!(ErrorCode::from_text(row.text), Some(row.code));
        }
    }

    #[test]
    fn a_wrong_key_is_not_retryable_an_overload_is() {
        assert!(!ErrorCode::WrongKey.is_retryable());
        assert!(ErrorCode::Overloaded.is_retryable());
    }
}
