// Package accept reads what a client of HTTP takes.
package accept

import (
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
