package message

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
)

// Digits that are shown of a share and of a plain number; allDigits is for what somebody
// has written.
const (
	shareDigits = 4
	plainDigits = 6
	allDigits   = 12
)

// number writes a number in its unit: of percent a share, of money minor units.
func number(v float64, unit kpi.Unit, currency string, l Language) string {
	digits := plainDigits
	if unit == kpi.UnitPercent {
		digits = shareDigits
	}
	return precise(v, unit, currency, l, digits)
}

// precise is a number with so many digits, where its unit does not say how many.
func precise(v float64, unit kpi.Unit, currency string, l Language, digits int) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	switch unit {
	case kpi.UnitPercent:
		return significant(v*100, digits) + "%"
	case kpi.UnitMoney:
		return money(v, currency, l, digits)
	case kpi.UnitSeconds:
		return duration(time.Duration(math.Round(v*1000))*time.Millisecond, l)
	case kpi.UnitCount:
		return grouped(strconv.FormatFloat(v, 'f', -1, 64))
	}
	return significant(v, digits)
}

// significant has so many digits at most, and all of those before the point.
func significant(v float64, digits int) string {
	whole := 1
	if v != 0 {
		whole = int(math.Floor(math.Log10(math.Abs(v)))) + 1
	}
	text := strconv.FormatFloat(v, 'f', max(digits-whole, 0), 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return grouped(text)
}

// money is an amount in the currency's own unit: "CNY 1,234.50". How many minor units one of
// those has is not known without it.
func money(minor float64, currency string, l Language, digits int) string {
	if currency == "" {
		return significant(minor, digits) + words[l].minor
	}
	units := float64(kpi.MinorUnits(currency))
	return currency + " " + grouped(strconv.FormatFloat(minor/units, 'f', int(math.Round(math.Log10(units))), 64))
}

// grouped has commas at the thousands.
func grouped(text string) string {
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign, text = "-", text[1:]
	}
	whole, rest, _ := strings.Cut(text, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if rest != "" {
		rest = "." + rest
	}
	return sign + whole + rest
}

// lengths are the units of time, the longest first.
var lengths = []struct {
	of     time.Duration
	letter string // of a window's name
	name   kpi.Text
}{
	{24 * time.Hour, "d", kpi.Text{EN: "d", ZH: "天"}},
	{time.Hour, "h", kpi.Text{EN: "h", ZH: "小时"}},
	{time.Minute, "m", kpi.Text{EN: "min", ZH: "分钟"}},
	{time.Second, "s", kpi.Text{EN: "s", ZH: "秒"}},
}

// duration has its two longest units: "1 h 5 min", "2.5 s".
func duration(d time.Duration, l Language) string {
	if d < 0 {
		return "-" + duration(-d, l)
	}
	if d < time.Minute {
		return significant(d.Seconds(), 3) + " " + l.of(lengths[3].name)
	}
	d = d.Round(time.Second)
	for i, unit := range lengths {
		if d < unit.of {
			continue
		}
		out := strconv.FormatInt(int64(d/unit.of), 10) + " " + l.of(unit.name)
		if i+1 < len(lengths) {
			if next := d % unit.of / lengths[i+1].of; next > 0 {
				out += " " + strconv.FormatInt(int64(next), 10) + " " + l.of(lengths[i+1].name)
			}
		}
		return out
	}
	return ""
}
