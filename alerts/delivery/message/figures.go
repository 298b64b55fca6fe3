package message

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/kpi"
)

// figures are the annotations of a notification as people read them. One that is no
// number, since the rule says it in its own words, is shown as it is.
type figures struct {
	of       map[string]string
	subject  alerts.Subject
	currency string
	language Language
	window   string
}

func figuresOf(n *alerts.Notification, l Language) *figures {
	f := &figures{of: n.Annotations, language: l, subject: alerts.Subject{Unit: kpi.UnitNumber}}
	if n.Subject != nil {
		f.subject = *n.Subject
	}
	f.currency = cmp.Or(n.Annotations["currency"], n.Labels["currency"], f.subject.Currency)
	f.window = cmp.Or(n.Annotations["window"], n.Labels["window"])
	return f
}

// elsewhen reports whether the figures of an alert that is over are not of its end.
func elsewhen(n *alerts.Notification) bool {
	return n.Status == alerts.Resolved && !n.Corrected && n.Annotations["resolved_because"] != ""
}

// name is what the value is of. What an alert that is over says is of its end, or says of when.
func (f *figures) name(n *alerts.Notification, w *vocabulary, zone *time.Location) string {
	title := cmp.Or(f.language.of(f.subject.Title), w.value)
	if n.Status != alerts.Resolved {
		return title
	}
	if n.Corrected {
		return strings.ReplaceAll(w.final, "{}", title)
	}
	if elsewhen(n) {
		if at, err := time.Parse(time.RFC3339, n.Annotations["as_of"]); err == nil {
			return strings.NewReplacer("{}", title, "{time}", at.In(zone).Format(moment+offset)).Replace(w.then)
		}
		return strings.ReplaceAll(w.last, "{}", title)
	}
	return strings.ReplaceAll(w.current, "{}", title)
}

func (f *figures) shown(key string) string {
	text := f.of[key]
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return text
	}
	if strings.HasSuffix(key, "threshold") {
		return precise(v, f.subject.Unit, f.currency, f.language, allDigits)
	}
	text = number(v, f.subject.Unit, f.currency, f.language)
	if key == "value" && f.subject.Across && f.currency == "" {
		text += words[f.language].across
	}
	return text
}

func (f *figures) value() string {
	if f.of["value"] == "" && f.of["no_data"] != "" {
		return words[f.language].noData
	}
	return f.shown("value")
}

// valued is the value with how sure it is.
func (f *figures) valued(w *vocabulary) string {
	value := f.value()
	var sure []string
	if low, high := f.shown("low"), f.shown("high"); low != "" && high != "" {
		sure = append(sure, strings.NewReplacer("{confidence}", f.percent("confidence"), "{low}", low, "{high}", high).Replace(w.interval))
	}
	if n, err := strconv.ParseFloat(f.of["n"], 64); err == nil && f.of["n"] != f.of["value"] && f.subject.Unit != kpi.UnitMoney {
		sure = append(sure, "n = "+number(n, kpi.UnitCount, "", f.language))
	}
	if value == "" || len(sure) == 0 {
		return value
	}
	return value + w.open + strings.Join(sure, w.comma) + w.close
}

func (f *figures) percent(key string) string {
	v, err := strconv.ParseFloat(f.of[key], 64)
	if err != nil {
		return f.of[key]
	}
	return number(v, kpi.UnitPercent, "", f.language)
}

// change is what the value was before, and where the difference comes from.
func (f *figures) change(n *alerts.Notification, w *vocabulary) string {
	c := n.Change
	if c == nil {
		return ""
	}
	shown := func(v *float64) string {
		if v == nil {
			return w.nothing
		}
		return number(*v, f.subject.Unit, f.currency, f.language)
	}
	before := number(c.Before, f.subject.Unit, cmp.Or(c.Currency, f.currency), f.language)
	out := strings.NewReplacer("{value}", before, "{length}", duration(c.Until.Sub(c.Since), f.language)).Replace(w.before)
	var parts []string
	for _, p := range c.Parts {
		parts = append(parts, strings.NewReplacer("{part}", p.Field+"="+p.Value, "{share}", number(p.Share, kpi.UnitPercent, "", f.language),
			"{before}", shown(p.Before), "{now}", shown(p.Now), "{n}", f.sizes(&p, w)).Replace(w.part))
	}
	if len(parts) > 0 {
		out += w.mostly + strings.Join(parts, w.comma)
	}
	if n.SeenAt > n.WindowEnd {
		out = w.fired + out
	}
	return out
}

// sizes are what the values of a part rest on, "" where they are counts themselves.
func (f *figures) sizes(p *alerts.Contribution, w *vocabulary) string {
	if p.BeforeN == 0 && p.N == 0 {
		return ""
	}
	shown := func(n int64) string { return number(float64(n), kpi.UnitCount, "", f.language) }
	return w.comma + "n = " + shown(p.BeforeN) + " → " + shown(p.N)
}

// condition is what the value is held against, in words, until when the alert fires, and over
// which window; "" where it is not held against anything that can be said so.
func (f *figures) condition(w *vocabulary) string {
	text := f.against("", w)
	if text == "" {
		return ""
	}
	parts := []string{w.ends[f.of["compared"]] + text}
	until := w.until
	if f.of["compared"] != "" {
		until = w.untilValue
	}
	if text := f.until(until, w); text != "" {
		parts = append(parts, text)
	}
	if f.window != "" {
		parts = append(parts, w.window(f.window, f.language))
	}
	return strings.Join(parts, w.comma)
}

// expression is that of the rule, with until when the alert fires where the condition does not
// say so.
func (f *figures) expression(w *vocabulary) string {
	expr := f.of["expr"]
	if text := f.until(w.untilValue, w); expr != "" && text != "" && f.condition(w) == "" {
		return expr + w.comma + text
	}
	return expr
}

// until is until when the alert fires: in the words of of where that is by its value, "" where
// nothing but the condition says so.
func (f *figures) until(of string, w *vocabulary) string {
	text := f.against("recover_", w)
	if text == "" {
		of, text = w.untilHolds, f.of["recover"]
	}
	if text == "" {
		return ""
	}
	return strings.ReplaceAll(of, "{}", text)
}

// against is what a value is held against by annotations with a prefix.
func (f *figures) against(prefix string, w *vocabulary) string {
	out := f.shown(prefix + "threshold")
	if said, ok := w.comparisons[f.of[prefix+"comparison"]]; ok && out != "" {
		return strings.ReplaceAll(said, "{}", out)
	}
	return out
}
