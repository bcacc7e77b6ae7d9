//! What an upload says it is: `Content-Type` and `Content-Encoding`.
//!
//! It promises that anything else than what the API names is `unsupported_media_type`. It relies
//! on `mime` and on the WHATWG's labels of encodings.

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use http::{HeaderMap, HeaderName, header};
use mime::Mime;
use tresor_proto::{ErrorCode, Failure};
use tresor_screening::reader::{Charset, Format};
use utoipa::ToSchema;

/// The format and the compression of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Media {
    /// How the records are written.
    pub(crate) format: Format,
    /// How the bytes are compressed.
    pub(crate) compression: Compression,
}

/// How the bytes of an upload are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "lowercase")]
pub(crate) enum Compression {
    #[schema(rename = "identity")]
    None,
    Gzip,
    Zstd,
}

/// How a client says that its upload is compressed.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it describes what `Media::parse` reads")]
pub(crate) struct Packing {
    /// How the body is packed.
    #[param(rename = "Content-Encoding", inline, required = false, value_type = Compression)]
    content_encoding: Compression,
}

impl Media {
    /// Reads both headers.
    pub(crate) fn parse(headers: &HeaderMap) -> Result<Self, Failure> {
        let content_type = text(headers, &header::CONTENT_TYPE).unwrap_or_default();
        let encoding = text(headers, &header::CONTENT_ENCODING).unwrap_or("identity");
        Ok(Self { format: format(content_type)?, compression: compression(encoding)? })
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        (Some(_), Some(_)) => Some("several"),
        (None, _) => None,
    }
}

fn format(content_type: &str) -> Result<Format, Failure> {
    let supported = "the content type is not application/json, application/x-ndjson or text/csv";
    let media_type: Mime = content_type.parse().map_err(|_| refused(supported))?;
    let charset = charset(&media_type)?;
    match (media_type.essence_str(), charset) {
        ("text/csv", charset) => Ok(Format::Csv(charset)),
        ("application/json", Charset::Utf8) => Ok(Format::Json),
        ("application/x-ndjson", Charset::Utf8) => Ok(Format::NdJson),
        ("application/json" | "application/x-ndjson", Charset::Latin1) => {
            Err(refused("JSON is always UTF-8"))
        }
        _ => Err(refused(supported)),
    }
}

fn charset(media_type: &Mime) -> Result<Charset, Failure> {
    let Some(label) = media_type.get_param(mime::CHARSET) else {
        return Ok(Charset::Utf8);
    };
    match Encoding::for_label(label.as_str().as_bytes()) {
        Some(encoding) if encoding == UTF_8 => Ok(Charset::Utf8),
        Some(encoding) if encoding == WINDOWS_1252 => Ok(Charset::Latin1),
        Some(_) | None => Err(refused("the charset is not utf-8 or iso-8859-1")),
    }
}

fn compression(encoding: &str) -> Result<Compression, Failure> {
    match encoding.to_ascii_lowercase().as_str() {
        "identity" => Ok(Compression::None),
        "gzip" | "x-gzip" => Ok(Compression::Gzip),
        "zstd" => Ok(Compression::Zstd),
        _ => Err(refused("the content encoding is not gzip or zstd")),
    }
}

fn refused(message: &'static str) -> Failure {
    Failure::new(ErrorCode::UnsupportedMediaType, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(content_type: &str, encoding: Option<&str>) -> Option<(Format, Compression)> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, content_type.parse().unwrap());
        if let Some(encoding) = encoding {
            headers.insert(header::CONTENT_ENCODING, encoding.parse().unwrap());
        }
        let media = Media::parse(&headers).ok()?;
        Some((media.format, media.compression))
    }

    #[test]
    fn the_formats_of_the_api_are_understood() {
        let plain = |format| Some((format, Compression::None));
        assert_eq!(parsed("text/csv", None), plain(Format::Csv(Charset::Utf8)));
        let latin_1 = plain(Format::Csv(Charset::Latin1));
        assert_eq!(parsed("Text/CSV; charset=ISO-8859-1", None), latin_1);
        assert_eq!(parsed("application/json;charset=\"utf-8\"", None), plain(Format::Json));
        let gzip = Some((Format::NdJson, Compression::Gzip));
        assert_eq!(parsed("application/x-ndjson", Some("GZIP")), gzip);
        let zstd = Some((Format::Json, Compression::Zstd));
        assert_eq!(parsed("application/json", Some("zstd")), zstd);
    }

    #[test]
    fn everything_else_is_unsupported() {
        for content_type in ["", "text/plain", "application/xml", "csv", "text/csv; charset=utf-16"]
        {
            assert_eq!(parsed(content_type, None), None, "{content_type}");
        }
        assert_eq!(parsed("application/json; charset=iso-8859-1", None), None);
        assert_eq!(parsed("text/csv", Some("br")), None);
        assert_eq!(parsed("text/csv", Some("gzip, gzip")), None);
        assert!(Media::parse(&HeaderMap::new()).is_err());
    }
}
