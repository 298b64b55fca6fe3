package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/internal/document"
)

const day = 24 * time.Hour

var lengths = map[string]time.Duration{
	"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": day,
}

// ParseDuration reads a length of time such as 100ms, 2s, 1h30m or 7d.
func ParseDuration(s string) (time.Duration, error) {
	rest, negative := strings.CutPrefix(s, "-")
	if rest == "0" {
		return 0, nil
	}
	if rest == "" {
		return 0, errDuration
	}
	var total time.Duration
	for rest != "" {
		n, unit, after, err := leading(rest)
		if err != nil {
			return 0, errDuration
		}
		length, ok := lengths[unit]
		if !ok {
			return 0, errDuration
		}
		if n > int64(math.MaxInt64-total)/int64(length) {
			return 0, &document.Problem{Rule: "is longer than 292 years", Remedy: "give less"}
		}
		total += time.Duration(n) * length
		rest = after
	}
	if negative {
		total = -total
	}
	return total, nil
}

var errDuration = &document.Problem{Rule: "is no length of time", Remedy: "write whole numbers with ms, s, m, h or d, such as 10m or 7d"}

// leading splits "10m30s" into 10, "m" and "30s".
func leading(s string) (n int64, unit, rest string, err error) {
	digits := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if digits <= 0 {
		return 0, "", "", strconv.ErrSyntax
	}
	n, err = strconv.ParseInt(s[:digits], 10, 64)
	s = s[digits:]
	end := strings.IndexAny(s, "0123456789")
	if end < 0 {
		end = len(s)
	}
	return n, s[:end], s[end:], err
}

// FormatDuration writes a length as ParseDuration reads it.
func FormatDuration(d time.Duration) string {
	if d < 0 {
		return "-" + FormatDuration(-d)
	}
	var b strings.Builder
	for _, u := range [...]string{"d", "h", "m", "s", "ms"} {
		if n := d / lengths[u]; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, u)
			d %= lengths[u]
		}
	}
	if b.Len() == 0 {
		return "0s"
	}
	return b.String()
}

var sizes = map[string]int64{
	"": 1, "B": 1,
	"KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
	"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
}

// ParseSize reads a number of bytes such as 512MiB or 10GiB.
func ParseSize(s string) (int64, error) {
	digits := strings.TrimRight(s, "BKMGTi ")
	scale, ok := sizes[strings.TrimSpace(s[len(digits):])]
	n, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil {
		return 0, &document.Problem{Rule: "is no size", Remedy: "write a whole number with KiB, MiB, GiB or TiB, such as 10GiB"}
	}
	if n > math.MaxInt64/scale || n < math.MinInt64/scale {
		return 0, &document.Problem{Rule: "is larger than 8 EiB", Remedy: "give less"}
	}
	return n * scale, nil
}

// ParseShare reads a share in per cent, such as 10%, as millionths.
func ParseShare(s string) (int, error) {
	if s == "0" {
		return 0, nil
	}
	number, ok := strings.CutSuffix(s, "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if !ok || err != nil || math.IsNaN(v) {
		return 0, &document.Problem{Rule: "is no share", Remedy: "write per cent, such as 10%"}
	}
	millionths := math.Round(v * 1e4)
	if v < 0 || millionths >= 1e6 {
		return 0, &document.Problem{Rule: "is outside 0% to 100%", Remedy: "give 0% or more, and less than 100%"}
	}
	return int(millionths), nil
}
