package api

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/tidewatch/tidewatch/internal/accept"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// A format is how an answer about KPIs is written.
type format uint8

// The formats.
const (
	asJSON   format = iota
	asCSV           // a line for each value, for spreadsheets
	asNDJSON        // an object for each value, for programs that read line by line
)

var formats = []struct {
	name, media string
}{asJSON: {"json", "application/json"}, asCSV: {"csv", "text/csv"}, asNDJSON: {"ndjson", "application/x-ndjson"}}

// formatOf is what a request wants: by the parameter format, else by its Accept header.
func formatOf(r *http.Request) (format, error) {
	s := &selection{values: r.URL.Query(), reserved: []string{"format"}}
	text, err := s.one("format")
	if err != nil {
		return asJSON, err
	}
	if text != "" {
		for f := range formats {
			if formats[f].name == text {
				return format(f), nil
			}
		}
		return asJSON, BadData("format %q is none: use json, csv or ndjson", text)
	}
	media := make([]string, len(formats))
	for f := range formats {
		media[f] = formats[f].media
	}
	return format(accept.Media(r.Header.Get("Accept"), media)), nil
}

// A table has a row for each value.
type table interface {
	// fields are the labels of its rows.
	fields() kpi.Set
	// rows visits them, until visit returns false.
	rows(visit func(row) bool)
}

// A row is a value with all that is said of it.
type row struct {
	kpi      *kpi.KPI
	window   kpi.Window
	by       kpi.Set
	labels   []string
	compare  string // what it is held against, "" for the value itself
	start    time.Time
	end      time.Time
	asOf     time.Time
	complete bool
	*sample.Sample
}

func (a *sampleJSON) fields() kpi.Set { return a.By }

func (a *sampleJSON) rows(visit func(row) bool) {
	for i := range a.Samples {
		if !visit(row{a.KPI, a.Window, a.By, a.Samples[i].Labels, "", a.Start, a.End, a.AsOf, a.Complete, &a.Samples[i]}) {
			return
		}
		for _, c := range a.compared {
			if other := c.samples[seriesKey(a.Samples[i].Labels)]; other != nil && !visit(row{a.KPI, a.Window, a.By, other.Labels, c.Name, c.answer.Start, c.answer.End, c.answer.AsOf, c.answer.Complete, other}) {
				return
			}
		}
	}
}

func (a *rangeJSON) fields() kpi.Set { return a.By }

func (a *rangeJSON) rows(visit func(row) bool) {
	if !a.visit(a.zone, "", visit) {
		return
	}
	for _, c := range a.compared {
		if !c.visit(a.zone, c.Name, visit) {
			return
		}
	}
}

func (a *RangeAnswer) visit(zone *kpi.Calendar, compare string, visit func(row) bool) bool {
	for i := range a.Series {
		for j := range a.Series[i].Points {
			p := &a.Series[i].Points[j]
			if !visit(row{a.KPI, a.Window, a.By, a.Series[i].Labels, compare, begins(a.Window, p.End, zone), p.End, p.AsOf, p.Complete, &p.Sample}) {
				return false
			}
		}
	}
	return true
}

// begins is when a window of a range begins.
func begins(w kpi.Window, end time.Time, zone *kpi.Calendar) time.Time {
	if !w.IsDay() && w != kpi.Today {
		return end.Add(-w.Length)
	}
	return time.UnixMilli(zone.Start(zone.Day(end.UnixMilli() - 1)))
}

func (s several) fields() (out kpi.Set) {
	for _, p := range s {
		for _, field := range p.fields() {
			if !slices.Contains(out, field) {
				out = append(out, field)
			}
		}
	}
	return out
}

func (s several) rows(visit func(row) bool) {
	for _, p := range s {
		stopped := false
		p.rows(func(r row) bool {
			stopped = !visit(r)
			return !stopped
		})
		if stopped {
			return
		}
	}
}

// warningsHeader has the warnings of an answer that has no room for them: a JSON array.
const warningsHeader = "Tidewatch-Warnings"

// table writes an answer in a format other than JSON.
func (e *encoder) table(header http.Header, t table, a answer) {
	header.Set("Content-Type", formats[a.as].media+"; charset=utf-8")
	if len(a.warnings) > 0 {
		text, err := json.Marshal(a.warnings)
		if err != nil {
			panic(err) // texts
		}
		header.Set(warningsHeader, ascii(text))
	}
	if a.as == asCSV {
		writeCSV(e, t, a.in)
	} else {
		writeNDJSON(e, t)
	}
}

// ascii is JSON in the letters that a header takes.
func ascii(text []byte) string {
	var b strings.Builder
	for _, r := range string(text) {
		if r < 0x80 {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String()
}

// byteOrderMark has spreadsheets read UTF-8.
const byteOrderMark = "\ufeff"

// writeCSV writes a table as RFC 4180 says, behind a byte order mark.
func writeCSV(e *encoder, t table, in language) {
	e.b = append(e.b, byteOrderMark...)
	w := csv.NewWriter((*encoderWriter)(e))
	fields := slices.DeleteFunc(slices.Clone(t.fields()), func(field string) bool { return field == kpi.CurrencyField }) // it has its column
	var line []string
	for _, name := range []string{"kpi", "title_en", "title_zh", "window", "start", "end", "as_of", "compare"} {
		line = append(line, in.column(name))
	}
	for _, name := range fields {
		line = append(line, in.field(name))
	}
	for _, name := range []string{"value", "numerator", "denominator", "n", "low", "high", "currency", "complete", "revision", "exactness"} {
		line = append(line, in.column(name))
	}
	write := func(line []string) bool {
		_ = w.Write(line) // to memory
		w.Flush()
		return e.more()
	}
	if !write(line) {
		return
	}
	t.rows(func(r row) bool {
		line = append(line[:0], r.kpi.Name, plainText(r.kpi.Title.EN), plainText(r.kpi.Title.ZH), r.window.String(), plainTime(r.start), plainTime(r.end), plainTime(r.asOf), r.compare)
		for _, field := range fields {
			text := ""
			if i := slices.Index(r.by, field); i >= 0 {
				text = plainText(r.labels[i])
			}
			line = append(line, text)
		}
		return write(r.numbers(line))
	})
}

// numbers appends the columns behind the labels. What has no value is empty.
func (r row) numbers(line []string) []string {
	number := func(p kpi.Part) string {
		if v, ok := r.Part(r.kpi, p); ok {
			return string(appendFloat(nil, v))
		}
		return ""
	}
	value := number(kpi.ValuePart)
	exact := func(n sample.Number, there bool) string {
		if !there || r.Mixed {
			return ""
		}
		return n.String()
	}
	if value != "" && !r.kpi.Ratio() && r.kpi.Scale == 0 {
		value = r.Numerator.String()
	}
	low, high := "", ""
	if r.kpi.Interval() {
		low, high = number(kpi.LowPart), number(kpi.HighPart)
	}
	currency := r.Currency
	if i := slices.Index(r.by, kpi.CurrencyField); i >= 0 {
		currency = plainText(r.labels[i])
	}
	n := int64(0)
	if !r.Mixed && (!r.Null || r.kpi.Ratio()) {
		n = r.N(r.kpi)
	}
	return append(line, value, exact(r.Numerator, !r.Null || r.kpi.Ratio()), exact(r.Denominator, r.kpi.Ratio()), strconv.FormatInt(n, 10), low, high, currency,
		strconv.FormatBool(r.complete), strconv.Itoa(r.Revision), r.Exactness())
}

// plainText is a text that no spreadsheet takes for a formula.
func plainText(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

func plainTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return rfc3339(t)
}

// writeNDJSON writes an object a line.
func writeNDJSON(e *encoder, t table) {
	t.rows(func(r row) bool {
		b := appendHead(e.b, r.kpi, r.window, r.by)
		b = append(b, `,"labels":`...)
		b = appendLabels(b, labelKeys(r.by), r.labels)
		if r.compare != "" {
			b = appendString(append(b, `,"compare":`...), r.compare)
		}
		if !r.start.IsZero() {
			b = appendTime(append(b, `,"start":`...), r.start)
		}
		b = appendTime(append(b, `,"end":`...), r.end)
		b = appendTime(append(b, `,"as_of":`...), r.asOf)
		b = appendValue(append(b, ','), r.kpi, r.Sample)
		if r.kpi.Interval() && !r.Null {
			b = appendInterval(b, r.kpi, r.Sample)
		}
		b = strconv.AppendBool(append(b, `,"complete":`...), r.complete)
		b = strconv.AppendInt(append(b, `,"revision":`...), int64(r.Revision), 10)
		b = appendExactness(b, r.Sample)
		if r.Currency != "" {
			b = appendString(append(b, `,"currency":`...), r.Currency)
		}
		e.b = append(b, "}\n"...)
		return e.more()
	})
}

// An encoderWriter appends to an encoder what is written to it.
type encoderWriter encoder

func (w *encoderWriter) Write(b []byte) (int, error) {
	w.b = append(w.b, b...)
	return len(b), nil
}
