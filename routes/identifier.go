package routes

const (
	digitsOfID      = 3  // this many digits make an id of any segment
	lengthWithDigit = 16 // from this length on one digit is enough
	longestWord     = 40 // no longer segment is a word
)

// LooksLikeID reports whether a path segment looks like an identifier rather
// than a word of the program: digits only, three digits or more, 16 bytes or
// more with a digit, more than 40 bytes, or a byte that RFC 3986 does not list
// as unreserved (percent-encoding and matrix parameters among them).
//
// The kernel applies the same definition while it hashes a path, so a change
// here must be made there as well.
func LooksLikeID(segment []byte) bool { return looksLikeID(segment) }

func looksLikeID[T []byte | string](segment T) bool {
	length, digits := len(segment), 0
	if length > longestWord {
		return true
	}
	for i := range length {
		switch c := segment[i]; {
		case '0' <= c && c <= '9':
			digits++
		case !isUnreserved(c):
			return true
		}
	}
	return length > 0 && (digits == length || digits >= digitsOfID || digits >= 1 && length >= lengthWithDigit)
}

// isUnreserved leaves out digits, which its caller counts.
func isUnreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c == '.' || c == '-' || c == '~'
}
