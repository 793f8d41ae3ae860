//! Requests as bytes.

/// Appends a request to `out` as a RESP array of bulk strings, the only shape in which every server takes every argument.
pub fn encode<A: AsRef<[u8]>>(arguments: &[A], out: &mut Vec<u8>) {
    array_header(arguments.len(), out);
    for argument in arguments {
        bulk_header(argument.as_ref().len(), out);
        out.extend_from_slice(argument.as_ref());
        out.extend_from_slice(b"\r\n");
    }
}

/// Opens a request of `arguments` arguments; as many bulk strings must follow.
pub fn array_header(arguments: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("*{arguments}\r\n").as_bytes());
}

/// Opens a bulk string of `bytes` bytes; they and a line end must follow.
pub fn bulk_header(bytes: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("${bytes}\r\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_an_array_of_bulk_strings() {
        let mut out = Vec::new();
        encode(&[b"SET".as_slice(), b"k", b"\r\n\0"], &mut out);
        assert_eq!(out, b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$3\r\n\r\n\0\r\n");
    }
}
