package spelling

import (
	"fmt"
	"regexp"
	"strconv"
)

// percent is a number in per cent: behind the sign is no operand that it could be
// the remainder by.
var percent = regexp.MustCompile(`(\d+(?:\.\d+)?)\s*%\s*(?:$|[)&|]|and\b|or\b|unless\b)`)

// Percent says how a number in per cent is written in an expression that does not
// parse, "" where none is in it.
func Percent(expr string) string {
	m := percent.FindStringSubmatch(expr)
	if m == nil {
		return ""
	}
	n, _ := strconv.ParseFloat(m[1], 64)
	return fmt.Sprintf("for %s%% write %.10g", m[1], n/100)
}
