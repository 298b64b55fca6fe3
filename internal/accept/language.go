package accept

import (
	"strconv"
	"strings"
)

// Language is the place of the language, among those that are offered, that an
// Accept-Language header likes most: of equals the one that it names first, without any the
// first one offered. A language is told by its first part: zh-Hans-CN takes zh.
func Language(header string, offered []string) int {
	best, most := 0, 0.0
	for part := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(part, ";")
		primary, _, _ := strings.Cut(strings.TrimSpace(name), "-")
		weight := 1.0
		if q, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			weight, _ = strconv.ParseFloat(q, 64) // what is no number weighs nothing
		}
		for i, language := range offered {
			if strings.EqualFold(primary, language) && weight > most {
				best, most = i, weight
			}
		}
	}
	return best
}
