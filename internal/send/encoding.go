package send

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
)

const (
	utf8Name  = "utf-8"
	utf16Name = "utf-16"
)

// encodings are what a map's `encoding` may name.
var encodings = map[string]encoding.Encoding{
	utf8Name:  nil, // as it is
	utf16Name: unicode.UTF16(unicode.LittleEndian, unicode.UseBOM),
	"gb18030": simplifiedchinese.GB18030,
	"gbk":     simplifiedchinese.GB18030, // of which it is a part
	"big5":    traditionalchinese.Big5,
}

const byteOrderMark = "\ufeff"

// asUTF8 reads a file that is in the encoding named. A byte order mark at its
// head says more than the name, and is no part of the text.
func asUTF8(r *bufio.Reader, name string) (_ *bufio.Reader, actual string) {
	mark, _ := r.Peek(len(byteOrderMark))
	switch {
	case string(mark) == byteOrderMark:
		name = utf8Name
	case bytes.HasPrefix(mark, []byte{0xff, 0xfe}), bytes.HasPrefix(mark, []byte{0xfe, 0xff}):
		name = utf16Name
	}
	if e := encodings[name]; e != nil {
		r = bufio.NewReaderSize(e.NewDecoder().Reader(r), readAhead)
		mark, _ = r.Peek(len(byteOrderMark))
	}
	if string(mark) == byteOrderMark {
		_, _ = r.Discard(len(mark)) // it was peeked at
	}
	return r, name
}

// checkText refuses text that the encoding does not have. Decoders leave U+FFFD
// in its place, which would make different names one.
func checkText(text, encoding string) error {
	switch {
	case encodings[encoding] == nil && !utf8.ValidString(text):
		return fmt.Errorf("%q is not UTF-8: name the file's encoding in the map, as in `encoding: gb18030`", text)
	case encodings[encoding] != nil && strings.ContainsRune(text, utf8.RuneError):
		return fmt.Errorf("%q was not written in %s: name the file's encoding in the map, or save it as UTF-8", text, encoding)
	}
	return nil
}

var errTorn = errors.New("the value is not UTF-8: an expression that takes a part of a text counts its bytes")

// torn reports whether JSON text, as json.Marshal writes it, holds what was no
// UTF-8: for that alone it writes \ufffd as an escape.
func torn(text []byte) bool {
	for {
		at := bytes.Index(text, []byte(`\ufffd`))
		if at < 0 {
			return false
		}
		before := bytes.TrimRight(text[:at], `\`)
		if (at-len(before))%2 == 0 { // the backslash is not itself escaped
			return true
		}
		text = text[at+1:]
	}
}
