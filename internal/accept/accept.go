// Package accept reads what a client of HTTP takes.
package accept

import (
	"slices"
	"strconv"
	"strings"
)

// Gzip reports whether an Accept-Encoding header takes gzip; "gzip;q=0" declines.
func Gzip(header string) bool {
	for coding := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(coding, ";")
		if !strings.EqualFold(strings.TrimSpace(name), "gzip") {
			continue
		}
		q, given := strings.CutPrefix(strings.TrimSpace(params), "q=")
		weight, err := strconv.ParseFloat(q, 64)
		return !given || err == nil && weight > 0
	}
	return false
}

// Media is the place of the media type, among those that are offered, that an Accept
// header likes most; of equals the first one, which is also that of a header that takes
// none of them: it is answered all the same.
func Media(header string, offered []string) int {
	best, most := 0, 0.0
	for i, media := range offered {
		if w := weightOf(header, media); w > most {
			best, most = i, w
		}
	}
	return best
}

// weightOf is how much a header likes a media type: by the range that says most of it.
func weightOf(header, media string) (weight float64) {
	kind, _, _ := strings.Cut(media, "/")
	said := -1
	for part := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(part, ";")
		precision := slices.Index([]string{"*/*", kind + "/*", media}, strings.ToLower(strings.TrimSpace(name)))
		if precision <= said {
			continue
		}
		said, weight = precision, 1
		for param := range strings.SplitSeq(params, ";") {
			if q, ok := strings.CutPrefix(strings.TrimSpace(param), "q="); ok {
				weight, _ = strconv.ParseFloat(q, 64) // what is no number weighs nothing
			}
		}
	}
	return weight
}
