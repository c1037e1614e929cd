//! The encodings that `working-tree-encoding` names.

use encoding_rs::Encoding as Table;

/// How a file is written in the tree; in a commit it is UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf16(Order, Mark),
    Utf32(Order, Mark),
    Latin1,
    Ascii,
    /// A table with one or two bytes for a character.
    Table(&'static Table),
}

/// Which byte of a number comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

/// Whether the text begins with a mark that tells its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// Of either order; the order of [`Encoding`] is for writing.
    Needed,
    Forbidden,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodingFault {
    #[error("it begins without the mark of byte order that its encoding asks for")]
    NoMark,
    #[error("it begins with a mark of byte order, which its encoding forbids")]
    Mark,
    #[error("it holds bytes that are no text in its encoding")]
    Bytes,
    #[error("the commit holds text that its encoding cannot write, or no text at all")]
    Text,
}

impl Encoding {
    /// `Err` for a name that is not known, `None` for UTF-8.
    pub(super) fn parse(name: &str) -> Result<Option<Self>, UnknownEncoding> {
        let lower = name.to_ascii_lowercase();
        let known = match lower.strip_prefix("utf").map(|it| it.trim_start_matches('-')) {
            Some("8") => return Ok(None),
            Some("16") => Self::Utf16(Order::Little, Mark::Needed),
            Some("16le") => Self::Utf16(Order::Little, Mark::Forbidden),
            Some("16be") => Self::Utf16(Order::Big, Mark::Forbidden),
            Some("16le-bom") => Self::Utf16(Order::Little, Mark::Needed),
            Some("16be-bom") => Self::Utf16(Order::Big, Mark::Needed),
            Some("32") => Self::Utf32(Order::Little, Mark::Needed),
            Some("32le") => Self::Utf32(Order::Little, Mark::Forbidden),
            Some("32be") => Self::Utf32(Order::Big, Mark::Forbidden),
            Some(_) => return Err(UnknownEncoding),
            None => match lower.as_str() {
                "iso-8859-1" | "iso8859-1" | "latin1" | "latin-1" => Self::Latin1,
                "ascii" | "us-ascii" => Self::Ascii,
                name => Self::Table(table(name)?),
            },
        };
        Ok(Some(known))
    }

    pub(super) fn to_utf8(self, content: &[u8]) -> Result<Vec<u8>, EncodingFault> {
        let text = match self {
            Self::Utf16(order, mark) => {
                let (order, content) = marked(content, order, mark, [0xff, 0xfe], [0xfe, 0xff])?;
                utf16(content, order)?
            }
            Self::Utf32(order, mark) => {
                let (little, big) = ([0xff, 0xfe, 0, 0], [0, 0, 0xfe, 0xff]);
                let (order, content) = marked(content, order, mark, little, big)?;
                utf32(content, order)?
            }
            Self::Latin1 => content.iter().copied().map(char::from).collect(),
            Self::Ascii if content.is_ascii() => content.iter().copied().map(char::from).collect(),
            Self::Ascii => return Err(EncodingFault::Bytes),
            Self::Table(table) => {
                let text = table
                    .decode_without_bom_handling_and_without_replacement(content)
                    .ok_or(EncodingFault::Bytes)?;
                // Some tables know two ways to write a character: the way back must be the same.
                let (again, _, failed) = table.encode(&text);
                if failed || *again != *content {
                    return Err(EncodingFault::Bytes);
                }
                text.into_owned()
            }
        };
        Ok(text.into_bytes())
    }

    pub(super) fn of_utf8(self, content: &[u8]) -> Result<Vec<u8>, EncodingFault> {
        let text = std::str::from_utf8(content).map_err(|_| EncodingFault::Text)?;
        let is_below = |end: u32| text.chars().all(|c| u32::from(c) < end);
        let bytes = match self {
            Self::Utf16(order, mark) => {
                let units = text.encode_utf16();
                let units = (mark == Mark::Needed).then_some(0xfeff).into_iter().chain(units);
                units.flat_map(|unit: u16| order.put(unit.to_le_bytes())).collect()
            }
            Self::Utf32(order, mark) => {
                let units = text.chars().map(u32::from);
                let units = (mark == Mark::Needed).then_some(0xfeff).into_iter().chain(units);
                units.flat_map(|unit: u32| order.put(unit.to_le_bytes())).collect()
            }
            Self::Latin1 if is_below(0x100) => {
                text.chars().filter_map(|c| u8::try_from(u32::from(c)).ok()).collect()
            }
            Self::Ascii if is_below(0x80) => content.to_vec(),
            Self::Latin1 | Self::Ascii => return Err(EncodingFault::Text),
            Self::Table(table) => match table.encode(text) {
                (bytes, _, false) => bytes.into_owned(),
                (_, _, true) => return Err(EncodingFault::Text),
            },
        };
        Ok(bytes)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UnknownEncoding;

/// The tables of the web, where they are those that the name means elsewhere.
fn table(name: &str) -> Result<&'static Table, UnknownEncoding> {
    let table = Table::for_label(name.as_bytes()).ok_or(UnknownEncoding)?;
    let is_another = table.name().starts_with("windows-")
        && !["windows-", "cp", "x-cp"].iter().any(|start| name.starts_with(start));
    // What the web writes as UTF-8 has no table of its own.
    if is_another || table.output_encoding() != table { Err(UnknownEncoding) } else { Ok(table) }
}

impl Order {
    fn put<const N: usize>(self, mut little: [u8; N]) -> [u8; N] {
        if self == Self::Big {
            little.reverse();
        }
        little
    }
}

/// Takes the mark of byte order away.
fn marked<const N: usize>(
    content: &[u8],
    order: Order,
    mark: Mark,
    little: [u8; N],
    big: [u8; N],
) -> Result<(Order, &[u8]), EncodingFault> {
    let found = [(Order::Little, little), (Order::Big, big)]
        .into_iter()
        .find_map(|(order, mark)| Some((order, content.strip_prefix(&mark)?)));
    match (mark, found) {
        (Mark::Needed, Some(found)) => Ok(found),
        (Mark::Needed, None) => Err(EncodingFault::NoMark),
        (Mark::Forbidden, Some(_)) => Err(EncodingFault::Mark),
        (Mark::Forbidden, None) => Ok((order, content)),
    }
}

fn utf16(content: &[u8], order: Order) -> Result<String, EncodingFault> {
    let (units, rest) = content.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(EncodingFault::Bytes);
    }
    let units = units.iter().map(|unit| u16::from_le_bytes(order.put(*unit)));
    char::decode_utf16(units).collect::<Result<_, _>>().map_err(|_| EncodingFault::Bytes)
}

fn utf32(content: &[u8], order: Order) -> Result<String, EncodingFault> {
    let (units, rest) = content.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(EncodingFault::Bytes);
    }
    let chars = units.iter().map(|unit| char::from_u32(u32::from_le_bytes(order.put(*unit))));
    chars.collect::<Option<_>>().ok_or(EncodingFault::Bytes)
}

#[cfg(test)]
mod tests {
    use super::{Encoding, EncodingFault, UnknownEncoding};

    #[test]
    fn texts_go_both_ways() {
        for (name, text, bytes) in [
            ("UTF-16", "aü", &b"\xff\xfea\0\xfc\0"[..]),
            ("utf-16le", "a", b"a\0"),
            ("UTF16BE", "\u{1f600}", b"\xd8\x3d\xde\x00"),
            ("UTF-16LE-BOM", "a", b"\xff\xfea\0"),
            ("UTF-16BE-BOM", "a", b"\xfe\xff\0a"),
            ("UTF-32", "a", b"\xff\xfe\0\0a\0\0\0"),
            ("UTF-32BE", "a", b"\0\0\0a"),
            ("ISO-8859-1", "ü\u{80}", b"\xfc\x80"),
            ("ascii", "a", b"a"),
            ("windows-1252", "€", b"\x80"),
            ("SHIFT-JIS", "あ", b"\x82\xa0"),
            ("EUC-JP", "あ", b"\xa4\xa2"),
        ] {
            let encoding = Encoding::parse(name).unwrap().unwrap();
            assert_eq!(encoding.of_utf8(text.as_bytes()), Ok(bytes.to_vec()), "{name}");
            assert_eq!(encoding.to_utf8(bytes), Ok(text.as_bytes().to_vec()), "{name}");
        }
    }

    #[test]
    fn what_is_no_text_is_refused() {
        for (name, bytes, fault) in [
            ("UTF-16", &b"a\0"[..], EncodingFault::NoMark),
            ("UTF-16LE", b"\xff\xfea\0", EncodingFault::Mark),
            ("UTF-16LE", b"a", EncodingFault::Bytes),
            ("UTF-16LE", b"\x3d\xd8a\0", EncodingFault::Bytes),
            ("UTF-32LE", b"\xff\xff\xff\xff", EncodingFault::Bytes),
            ("ascii", b"\xfc", EncodingFault::Bytes),
            ("SHIFT-JIS", b"\x82", EncodingFault::Bytes),
        ] {
            let encoding = Encoding::parse(name).unwrap().unwrap();
            assert_eq!(encoding.to_utf8(bytes), Err(fault), "{name}");
        }
        let ascii = Encoding::parse("ascii").unwrap().unwrap();
        assert_eq!(ascii.of_utf8("ü".as_bytes()), Err(EncodingFault::Text));
        assert_eq!(ascii.of_utf8(b"\xff"), Err(EncodingFault::Text));
    }

    #[test]
    fn encodings_have_names() {
        assert_eq!(Encoding::parse("utf8"), Ok(None));
        assert_eq!(Encoding::parse("UTF-8"), Ok(None));
        for name in ["x", "", "UTF-7", "UCS-2", "ISO-8859-9", "ISO-2022-CN-EXT", "replacement"] {
            assert_eq!(Encoding::parse(name), Err(UnknownEncoding), "{name}");
        }
    }
}
