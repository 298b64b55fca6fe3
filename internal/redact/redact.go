// Package redact hides what is secret in an address before it is shown: a
// password, a token in the place of a user's name, and the query.
package redact

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
)

const hidden = "xxxxx"

// begin is where an address begins, alone or behind another in a list.
var begin = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://`)

// URL hides the secrets of an address, or of a list of them with commas. It need
// not be well-formed.
func URL(text string) string {
	var b strings.Builder
	starts := begin.FindAllStringIndex(text, -1)
	if len(starts) == 0 {
		return authority(text)
	}
	b.WriteString(text[:starts[0][0]])
	for i, s := range starts {
		end := len(text)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		b.WriteString(text[s[0]:s[1]])
		b.WriteString(authority(text[s[1]:end]))
	}
	return b.String()
}

// authority hides the secrets of what stands behind the scheme: a password may
// hold any character, also one that would end it.
func authority(text string) string {
	if at := strings.LastIndexByte(text, '@'); at >= 0 {
		user, _, named := strings.Cut(text[:at], ":")
		if user = user + ":" + hidden; !named {
			user = hidden
		}
		text = user + text[at:]
	}
	if address, query, found := strings.Cut(text, "?"); found {
		text = address + "?" + hidden
		if strings.HasSuffix(query, ",") { // another follows
			text += ","
		}
	}
	return text
}

// Error hides in an error's text the secrets of the address that it is about.
func Error(err error, address string) error {
	text, safe := err.Error(), URL(address)
	for _, written := range []string{address, strings.Trim(strconv.Quote(address), `"`)} {
		if written != "" {
			text = strings.ReplaceAll(text, written, safe)
		}
	}
	for part := range strings.SplitSeq(address, ",") {
		if part = strings.TrimSpace(part); part != "" {
			text = strings.ReplaceAll(text, part, URL(part))
			text = strings.ReplaceAll(text, strings.Trim(strconv.Quote(part), `"`), URL(part))
		}
	}
	if text == err.Error() {
		return err
	}
	return errors.New(text)
}
