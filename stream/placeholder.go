package stream

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// placeholder reports whether an id is what software writes for want of one: taken for
// one, all that have none would be the same.
func placeholder(id []byte) bool {
	switch len(id) {
	case 0:
		return false
	case 1:
		if id[0] == '0' {
			return true
		}
	case 4, 9:
		switch strings.ToLower(string(id)) {
		case "null", "none", "undefined":
			return true
		}
	case 36:
		if string(id) == "00000000-0000-0000-0000-000000000000" {
			return true
		}
	}
	if c := id[0]; c > ' ' && c < utf8.RuneSelf {
		return false
	}
	return len(bytes.TrimSpace(id)) == 0
}
