package stream

import (
	"encoding/binary"
	"math"
	"math/bits"
	"unicode/utf8"
)

// padding stands behind every text that is scanned: a newline, which no token
// goes across, and room to read eight bytes at any place of the text.
const padding = "\n\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"

// A scanner reads JSON from a padded text. Its methods take the place where a
// token starts and return the place behind it, or -1 if it is no JSON.
type scanner struct {
	p []byte
	// newlines allows them between tokens: the text is known to be a whole
	// value. In NDJSON they end the event.
	newlines bool
	// wide is set by strings that are not ASCII.
	wide bool
}

// A token is a value as it stands in the text.
type token struct {
	// off and end enclose it; a string's quotes are outside.
	off, end uint32
	kind     kind
	// val is the value of an integer, out of kpi.MaxNumber's reach if it does
	// not fit.
	val int64
}

type kind uint8

const (
	kindNull    kind = iota
	kindString       // without escapes
	kindEscaped      // a string with escapes
	kindInteger
	kindDecimal // a number with a fraction or an exponent
	kindFalse
	kindTrue
	kindNested // an object or an array
)

// kinds is a set of them.
type kinds uint8

const (
	texts   kinds = 1<<kindString | 1<<kindEscaped
	numbers kinds = 1<<kindInteger | 1<<kindDecimal
	flags   kinds = 1<<kindFalse | 1<<kindTrue
	ids           = texts | 1<<kindInteger
	scalars       = texts | numbers | flags
)

func (s kinds) has(k kind) bool { return s>>(k&7)&1 != 0 }

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

func load(p []byte, i int) uint64 { return binary.LittleEndian.Uint64(p[i:]) }

// special marks all but plain ASCII among eight bytes of a string (quotes,
// backslashes, control characters, wide ones) by the high bits. The lowest mark
// is exact.
func special(x uint64) uint64 {
	return ((x ^ '"'*ones - ones) | (x ^ '\\'*ones - ones) | (x - ' '*ones) | x) & highs
}

// space goes to the next token.
func (s *scanner) space(i int) int {
	for ; ; i++ {
		switch s.p[i] {
		case ' ', '\t', '\r':
		case '\n':
			if !s.newlines {
				return i
			}
		default:
			return i
		}
	}
}

// value reads any value; objects and arrays are checked and not kept.
func (s *scanner) value(i int, t *token, depth int) int {
	switch c := s.p[i]; c {
	case '"':
		return s.text(i+1, t)
	case '{', '[':
		t.kind, t.off = kindNested, uint32(i)
		if i = s.nested(i, depth); i >= 0 {
			t.end = uint32(i)
		}
		return i
	case 't':
		return s.word(i, "true", t, kindTrue)
	case 'f':
		return s.word(i, "false", t, kindFalse)
	case 'n':
		return s.word(i, "null", t, kindNull)
	default:
		return s.number(i, t)
	}
}

func (s *scanner) word(i int, word string, t *token, k kind) int {
	end := i + len(word)
	if string(s.p[i:end]) != word {
		return -1
	}
	t.kind, t.off, t.end = k, uint32(i), uint32(end)
	return end
}

// text reads a string from behind its opening quote.
func (s *scanner) text(i int, t *token) int {
	t.kind, t.off = kindString, uint32(i)
	p := s.p
	for {
		m := special(load(p, i))
		if m == 0 {
			i += 8
			continue
		}
		if i += bits.TrailingZeros64(m) >> 3; p[i] == '"' {
			t.end = uint32(i)
			return i + 1
		}
		return s.oddText(i, t)
	}
}

// oddText reads on in a string that has escapes or wide characters.
func (s *scanner) oddText(i int, t *token) int {
	p := s.p
	for {
		switch c := p[i]; {
		case c == '"':
			t.end = uint32(i)
			return i + 1
		case c == '\\':
			if i = escape(p, i); i < 0 {
				return -1
			}
			t.kind = kindEscaped
		case c < ' ':
			return -1
		default:
			s.wide = s.wide || c >= utf8.RuneSelf
			i++
		}
	}
}

// escape reads one escape.
func escape(p []byte, i int) int {
	switch p[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
		if _, ok := hex4(p[i+2:]); ok {
			return i + 6
		}
	}
	return -1
}

func hex4(b []byte) (r rune, ok bool) {
	for _, c := range b[:4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// number reads a number in JSON's grammar.
func (s *scanner) number(i int, t *token) int {
	p := s.p
	t.kind, t.off = kindInteger, uint32(i)
	negative := p[i] == '-'
	if negative {
		i++
	}
	first, val := i, int64(0)
	for ; p[i]-'0' <= 9; i++ {
		val = val*10 + int64(p[i]-'0')
	}
	switch digits := i - first; {
	case digits == 0, digits > 1 && p[first] == '0':
		return -1
	case digits > 18:
		val = math.MaxInt64
	}
	if negative {
		val = -val
	}
	t.val = val
	if p[i] == '.' || p[i]|0x20 == 'e' {
		t.kind = kindDecimal
		if i = fraction(p, i); i < 0 {
			return -1
		}
	}
	t.end = uint32(i)
	return i
}

// fraction reads what makes a number a decimal.
func fraction(p []byte, i int) int {
	if p[i] == '.' {
		if i++; p[i]-'0' > 9 {
			return -1
		}
		for p[i]-'0' <= 9 {
			i++
		}
	}
	if p[i]|0x20 == 'e' {
		if i++; p[i] == '+' || p[i] == '-' {
			i++
		}
		if p[i]-'0' > 9 {
			return -1
		}
		for p[i]-'0' <= 9 {
			i++
		}
	}
	return i
}

// nested reads an object or an array; depth says how many more levels may
// open, this one included.
func (s *scanner) nested(i, depth int) int {
	if depth == 0 {
		return -1
	}
	object := s.p[i] == '{'
	closing := s.p[i] + 2 // as ASCII has it, for both
	var t token
	i = s.space(i + 1)
	if s.p[i] == closing {
		return i + 1
	}
	for {
		if object {
			if s.p[i] != '"' {
				return -1
			}
			if i = s.text(i+1, &t); i < 0 {
				return -1
			}
			if i = s.space(i); s.p[i] != ':' {
				return -1
			}
			i = s.space(i + 1)
		}
		if i = s.value(i, &t, depth-1); i < 0 {
			return -1
		}
		i = s.space(i)
		switch s.p[i] {
		case ',':
			i = s.space(i + 1)
		case closing:
			return i + 1
		default:
			return -1
		}
	}
}
