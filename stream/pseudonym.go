package stream

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"hash"
	"unicode/utf8"
)

// MinPseudonymKey is the least length of a key, in bytes: ids are few, and a key that
// can be guessed tells them all.
const MinPseudonymKey = 16

// A pseudonym is a prefix and the first 128 bits of a keyed hash, as 26 letters and
// digits of base32.
const (
	pseudonymPrefix = "p_"
	pseudonymBytes  = 16
	pseudonymLetter = "abcdefghijklmnopqrstuvwxyz234567"
	pseudonymLen    = len(pseudonymPrefix) + (pseudonymBytes*8+4)/5
)

var pseudonymText = base32.NewEncoding(pseudonymLetter).WithPadding(base32.NoPadding)

// nameSpaces begin what is hashed, by slot.
var nameSpaces = func() (out [slotFields][]byte) {
	for slot, name := range envelope {
		out[slot] = []byte(name + "\x00")
	}
	return out
}()

// What stands in events for ids, and for lines that cannot be searched for them. Each
// meets the same reason as what it stands for.
const (
	redactedText  = "redacted"   // ReasonNotJSON
	redactedValue = `"redacted"` // ReasonNotAnObject
	noDecimal     = "0.5"        // ReasonWrongType, as the next one
	noNested      = "{}"
)

// A Pseudonymiser replaces the ids of users by pseudonyms: by HMAC-SHA-256 of the id, with
// "user_id" or "anonymous_id" and a zero byte before it. The same id has the same
// pseudonym as long as the key is the same; nobody without the key can tell one from the
// other. It is not safe for concurrent use.
type Pseudonymiser struct {
	scanner
	mac  hash.Hash
	sum  []byte
	line []byte // padded
	text []byte // of a string with escapes
	out  []byte
	done int // bytes of the line that are in out
}

// NewPseudonymiser is for a key of at least MinPseudonymKey bytes.
func NewPseudonymiser(key []byte) (*Pseudonymiser, error) {
	if len(key) < MinPseudonymKey {
		return nil, fmt.Errorf("key of %d bytes is too short: give at least %d that are random", len(key), MinPseudonymKey)
	}
	return &Pseudonymiser{mac: hmac.New(sha256.New, key)}, nil
}

// User is the pseudonym of a user_id. A pseudonym is its own.
func (p *Pseudonymiser) User(id string) string { return p.of(slotUser, id) }

// Anonymous is the pseudonym of an anonymous_id. A pseudonym is its own.
func (p *Pseudonymiser) Anonymous(id string) string { return p.of(slotAnonymous, id) }

func (p *Pseudonymiser) of(slot int, id string) string {
	if isPseudonym([]byte(id)) {
		return id
	}
	return string(p.append(nil, slot, []byte(id)))
}

// Check tells the key from others, and nothing else of it.
func (p *Pseudonymiser) Check() string { return string(p.append(nil, slotNone, nil)) }

func (p *Pseudonymiser) append(dst []byte, slot int, id []byte) []byte {
	p.mac.Reset()
	p.mac.Write(nameSpaces[slot])
	p.mac.Write(id)
	p.sum = p.mac.Sum(p.sum[:0])
	return pseudonymText.AppendEncode(append(dst, pseudonymPrefix...), p.sum[:pseudonymBytes])
}

func isPseudonym(id []byte) bool {
	return len(id) == pseudonymLen && bytes.HasPrefix(id, []byte(pseudonymPrefix)) &&
		len(bytes.Trim(id[len(pseudonymPrefix):], pseudonymLetter)) == 0
}

// Body is the text of a body with pseudonyms, a line for each of its events. An event that
// its pseudonyms make too large has that reason then. It fails if the text is longer than
// most bytes.
func (p *Pseudonymiser) Body(b *Body, most int) (text []byte, err error) {
	text = make([]byte, 0, min(len(b.Text)+pseudonymLen*len(b.Lines), most))
	for i := range b.Lines {
		if i > 0 {
			text = append(text, '\n')
		}
		start := len(text)
		text = p.Append(text, b.Line(i))
		if len(text)-start > MaxEvent {
			b.Reasons[i] = ReasonTooLarge
		}
		if len(text) > most {
			return nil, fmt.Errorf("body exceeds %d bytes once its ids are pseudonyms: send the events in several requests", most)
		}
	}
	return text, nil
}

// Append appends an event with pseudonyms, one line of NDJSON: what user_id and
// anonymous_id hold, at the top level or anywhere in it, is replaced. What stands for no
// user is kept. What can be no id is replaced by something that can be none either, and a
// line that is no JSON object by one that says so. The event meets the reason that the
// line would meet, unless it exceeds MaxEvent and the line did not.
func (p *Pseudonymiser) Append(dst, line []byte) []byte {
	if len(line) > MaxEvent {
		return append(dst, bytes.Repeat([]byte{'-'}, MaxEvent+1)...)
	}
	p.line = append(append(p.line[:0], line...), padding...)
	p.p, p.wide = p.line, false
	p.out, p.done = dst, 0
	first := p.space(0)
	i := p.walk(first, maxDepth)
	if i >= 0 {
		i = p.space(i)
	}
	out := p.out
	p.out = nil
	switch {
	case i != len(line), p.wide && !utf8.Valid(line):
		return append(dst, redactedText...)
	case p.p[first] != '{':
		return append(dst, redactedValue...)
	}
	return append(out, line[p.done:]...)
}

// walk goes through a value, and replaces the ids in it.
func (p *Pseudonymiser) walk(i, depth int) int {
	var t token
	object := p.p[i] == '{'
	switch {
	case !object && p.p[i] != '[':
		return p.value(i, &t, depth)
	case depth == 0:
		return -1
	}
	closing := p.p[i] + 2
	if i = p.space(i + 1); p.p[i] == closing {
		return i + 1
	}
	for {
		slot := slotNone
		if object {
			if p.p[i] != '"' {
				return -1
			}
			if i = p.scanner.text(i+1, &t); i < 0 {
				return -1
			}
			slot = p.slot(&t)
			if i = p.space(i); p.p[i] != ':' {
				return -1
			}
			i = p.space(i + 1)
		}
		if slot == slotNone {
			i = p.walk(i, depth-1)
		} else if i = p.value(i, &t, depth-1); i >= 0 {
			p.replace(slot, &t)
		}
		if i < 0 {
			return -1
		}
		i = p.space(i)
		switch p.p[i] {
		case ',':
			i = p.space(i + 1)
		case closing:
			return i + 1
		default:
			return -1
		}
	}
}

// content is what a string or a number says.
func (p *Pseudonymiser) content(t *token) []byte {
	text := p.p[t.off:t.end]
	if t.kind == kindEscaped {
		p.text = unescape(p.text[:0], text)
		return p.text
	}
	return text
}

// slot is that of the id which a key names, slotNone of any other key.
func (p *Pseudonymiser) slot(key *token) int {
	switch string(p.content(key)) {
	case envelope[slotUser]:
		return slotUser
	case envelope[slotAnonymous]:
		return slotAnonymous
	}
	return slotNone
}

// replace writes what stands for an id.
func (p *Pseudonymiser) replace(slot int, t *token) {
	switch {
	case t.kind == kindDecimal:
		p.write(t, noDecimal)
	case t.kind == kindNested:
		p.write(t, noNested)
	case ids.has(t.kind):
		switch id := p.content(t); {
		case len(id) == 0, placeholder(id), isPseudonym(id):
		case len(id) > MaxText:
			p.write(t, `"`+string(bytes.Repeat([]byte{'-'}, MaxText+1))+`"`)
		default:
			p.begin(t)
			p.out = append(p.append(append(p.out, '"'), slot, id), '"')
		}
	}
}

// write puts a text in the place of a token.
func (p *Pseudonymiser) write(t *token, text string) {
	p.begin(t)
	p.out = append(p.out, text...)
}

// begin copies what is before a token, and passes over the token.
func (p *Pseudonymiser) begin(t *token) {
	from, to := int(t.off), int(t.end)
	if texts.has(t.kind) {
		from, to = from-1, to+1 // with its quotes
	}
	p.out = append(p.out, p.p[p.done:from]...)
	p.done = to
}
