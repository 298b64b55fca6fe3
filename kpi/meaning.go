package kpi

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Meaning is the canonical text of what the numbers of a catalogue depend on:
// two catalogues of one meaning give the same numbers for the same events.
// How their files are written, titles, descriptions and units are not in it.
//
//	zone Asia/Shanghai
//	currency CNY
//	accept_late ad_cost 3d
//	forget_after 400
//	kpi ctr
//	numerator count(type == "click")
//	denominator count(type == "impression")
//	by channel total
//	windows [5m day]
//	top 0
//	budget 10000
//	zone Asia/Shanghai
func (c *Catalogue) Meaning() []byte {
	b := line(nil, "zone", c.Location.String())
	b = line(b, "currency", c.Currency)
	for _, name := range slices.Sorted(maps.Keys(c.AcceptLate)) {
		b = line(b, "accept_late", name+" "+FormatLength(c.AcceptLate[name]))
	}
	b = line(b, "forget_after", strconv.Itoa(c.ForgetAfter))
	for _, k := range c.KPIs {
		b = line(b, "kpi", k.Name)
		if k.From != nil && k.From.Journey != nil { // what is kept of it has its name
			b = line(b, "operator", k.From.Name)
		}
		b = k.appendMeaning(b, c)
	}
	return b
}

// appendMeaning appends what the numbers of one KPI depend on: the zone only
// when it is cut by days, the currency of amounts without one only when it
// reads currencies, the types that come late only when its days are open for them.
func (k *KPI) appendMeaning(b []byte, c *Catalogue) []byte {
	if k.From != nil {
		b = line(b, "from", k.From.meaning())
		b = line(b, "split", k.Split.Key())
		b = line(b, "horizon", strconv.Itoa(k.Horizon))
		b = line(b, "final_only", strconv.FormatBool(k.FinalOnly))
		if k.Maturity != nil {
			b = line(b, "maturity", k.Maturity.Taken())
		}
	}
	if k.From == nil && k.Horizon > 0 {
		b = line(b, "horizon", strconv.Itoa(k.Horizon))
	}
	if k.AcceptsLate() {
		for _, name := range slices.Sorted(maps.Keys(c.AcceptLate)) {
			if k.ofType(name, false) {
				b = line(b, "accept_late", name+" "+FormatLength(c.AcceptLate[name]))
			}
		}
	}
	if k.Also != nil {
		b = line(b, "also", k.Also.meaning())
	}
	b = line(b, "numerator", k.Numerator.Key())
	if k.Minus != nil {
		b = line(b, "minus", k.Minus.Key())
	}
	if k.Ratio() {
		b = line(b, "denominator", k.Denominator.Key())
	}
	if k.Scale != 0 {
		b = line(b, "scale", string(appendNumber(nil, k.Scale)))
	}
	var sets, windows []string
	for _, s := range k.By {
		sets = append(sets, s.String())
	}
	slices.Sort(sets)
	for _, w := range k.Windows {
		windows = append(windows, w.String())
	}
	b = line(b, "by", strings.Join(sets, " "))
	b = line(b, "windows", "["+strings.Join(windows, " ")+"]")
	b = line(b, "top", strconv.Itoa(k.Top))
	b = line(b, "budget", strconv.Itoa(k.Budget))
	if k.Keeps(Day) || k.Keeps(Today) {
		b = line(b, "zone", c.Location.String())
	}
	if c.Currency != "" && k.readsCurrency() {
		b = line(b, "currency", c.Currency)
	}
	return b
}

func line(b []byte, word, value string) []byte {
	return append(append(append(append(b, word...), ' '), value...), '\n')
}

// readsCurrency reports whether the currency of an event makes a difference.
func (k *KPI) readsCurrency() bool {
	for _, m := range k.Measures() {
		if text, _ := m.Where.Fields(); m.Money || slices.Contains(text, CurrencyField) {
			return true
		}
	}
	return slices.ContainsFunc(k.By, func(s Set) bool { return slices.Contains(s, CurrencyField) })
}

// version is the name with a hash of the KPI's meaning.
func (k *KPI) version(c *Catalogue) string {
	sum := sha256.Sum256(k.appendMeaning(nil, c))
	return k.Name + "@" + hex.EncodeToString(sum[:4])
}
