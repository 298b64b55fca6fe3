package api

import (
	"encoding/json"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// Answers can have ten thousand series, so they are appended rather than
// reflected upon. TestEncoding holds them against encoding/json.

// Time is a time in answers: RFC 3339 in UTC with milliseconds, null when zero.
type Time struct{ time.Time }

// MarshalJSON writes the time.
func (t Time) MarshalJSON() ([]byte, error) { return appendTime(nil, t.Time), nil }

func appendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, "null"...)
	}
	return t.UTC().AppendFormat(b, `"2006-01-02T15:04:05.000Z"`)
}

// sampleJSON is the data of GET /api/v1/kpis/{name}.
type sampleJSON struct {
	*sample.Answer
	compared []compared
	limited  bool // and so next says how to go on
	next     string
}

func (a *sampleJSON) values() int {
	n := len(a.Samples)
	for _, c := range a.compared {
		n += len(c.samples)
	}
	return n
}

func (a *sampleJSON) writeJSON(e *encoder) {
	b := appendHead(e.b, a.KPI, a.Window, a.By)
	span := a.span()
	b = append(append(b, ','), span...)
	b = append(b, `,"samples":[`...)
	tail := append(appendString([]byte(`,"definition":`), a.KPI.ID), '}')
	window := appendString([]byte(`,"window":`), a.Window.String())
	keys := labelKeys(a.By)
	interval := a.KPI.Interval()
	for i := range a.Samples {
		s := &a.Samples[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"labels":`...)
		b = appendLabels(b, keys, s.Labels)
		b = append(b, ',')
		b = appendValue(b, a.KPI, s)
		if interval && !s.Null {
			b = appendInterval(b, a.KPI, s)
		}
		b = append(append(append(b, window...), ','), span...)
		b = strconv.AppendInt(append(b, `,"revision":`...), int64(s.Revision), 10)
		b = appendExactness(b, s)
		if s.Currency != "" {
			b = appendString(append(b, `,"currency":`...), s.Currency)
		}
		if len(a.compared) > 0 {
			b = append(b, `,"compare":{`...)
			for j := range a.compared {
				if j > 0 {
					b = append(b, ',')
				}
				b = a.compared[j].append(b, a.KPI, s)
			}
			b = append(b, '}')
		}
		e.b = append(b, tail...)
		if !e.more() {
			return
		}
		b = e.b
	}
	e.b = append(appendNext(append(b, ']'), a.limited, a.next), '}')
}

// appendNext writes the cursor of what follows.
func appendNext(b []byte, limited bool, next string) []byte {
	switch {
	case !limited:
		return b
	case next == "":
		return append(b, `,"next":null`...)
	}
	return appendString(append(b, `,"next":`...), next)
}

// span is what all samples of an answer share.
func (a *sampleJSON) span() []byte {
	b := appendSpan(nil, a.Start, a.End, a.AsOf, a.Watermark)
	b = strconv.AppendBool(append(b, `,"complete":`...), a.Complete)
	return appendMaturity(b, a.KPI, a.Window, a.Maturity)
}

// appendSpan writes of when an answer is.
func appendSpan(b []byte, start, end, asOf, watermark time.Time) []byte {
	b = appendTime(append(b, `"start":`...), start)
	b = appendTime(append(b, `,"end":`...), end)
	b = appendTime(append(b, `,"as_of":`...), asOf)
	return appendTime(append(b, `,"watermark":`...), watermark)
}

// appendMaturity writes how much of what is expected of a business day is in.
func appendMaturity(b []byte, k *kpi.KPI, w kpi.Window, m sample.Maturity) []byte {
	if k.Maturity == nil || !w.IsDay() {
		return b
	}
	b = append(b, `,"maturity":`...)
	if share, known := m.Share(); known {
		return appendFloat(b, share)
	}
	return append(b, "null"...)
}

// rangeJSON is the data of GET /api/v1/kpis/{name}/range.
type rangeJSON struct {
	*RangeAnswer
	zone     *kpi.Calendar
	compared []comparedRange
	limited  bool
	next     string
}

func (a *rangeJSON) values() int {
	n := a.points()
	for _, c := range a.compared {
		n += c.points()
	}
	return n
}

// points is how many there are.
func (a *RangeAnswer) points() (n int) {
	for i := range a.Series {
		n += len(a.Series[i].Points)
	}
	return n
}

func (a *rangeJSON) writeJSON(e *encoder) {
	e.b = appendHead(e.b, a.KPI, a.Window, a.By)
	if !a.writeSeries(e) {
		return
	}
	if len(a.compared) > 0 {
		e.b = append(e.b, `,"compare":{`...)
		for i, c := range a.compared {
			if i > 0 {
				e.b = append(e.b, ',')
			}
			e.b = append(appendString(e.b, c.Name), `:{"by":`...)
			e.b = appendFields(e.b, a.By)
			if !c.writeSeries(e) {
				return
			}
			e.b = append(e.b, '}')
		}
		e.b = append(e.b, '}')
	}
	e.b = append(appendNext(e.b, a.limited, a.next), '}')
}

// writeSeries writes of when the answer is and its series, and reports whether somebody still
// reads.
func (a *RangeAnswer) writeSeries(e *encoder) bool {
	b := appendSpan(append(e.b, ','), a.Start, a.End, a.AsOf, a.Watermark)
	b = append(b, `,"series":[`...)
	keys := labelKeys(a.By)
	for i := range a.Series {
		series := &a.Series[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"labels":`...)
		b = appendLabels(b, keys, series.Labels)
		b = append(b, `,"points":[`...)
		for j := range series.Points {
			p := &series.Points[j]
			if j > 0 {
				b = append(b, ',')
			}
			b = appendTime(append(b, `{"end":`...), p.End)
			b = appendValue(append(b, ','), a.KPI, &p.Sample)
			b = strconv.AppendBool(append(b, `,"complete":`...), p.Complete)
			b = appendMaturity(b, a.KPI, a.Window, p.Maturity)
			b = strconv.AppendInt(append(b, `,"revision":`...), int64(p.Revision), 10)
			if !p.Exact() { // the many that are exact go without saying
				b = appendExactness(b, &p.Sample)
			}
			if p.Currency != "" {
				b = appendString(append(b, `,"currency":`...), p.Currency)
			}
			e.b = append(b, '}')
			if !e.more() {
				return false
			}
			b = e.b
		}
		b = append(b, "]}"...)
	}
	e.b = append(b, ']')
	return true
}

// several are the answers about several KPIs.
type several []part

func (s several) writeJSON(e *encoder) {
	e.b = append(e.b, `{"kpis":`...)
	writeList(e, len(s), func(i int) { s[i].writeJSON(e) })
	e.b = append(e.b, '}')
}

func appendHead(b []byte, k *kpi.KPI, w kpi.Window, by kpi.Set) []byte {
	b = appendString(append(b, `{"kpi":`...), k.Name)
	b = appendString(append(b, `,"definition":`...), k.ID)
	b = appendString(append(b, `,"window":`...), w.String())
	return appendFields(append(b, `,"by":`...), by)
}

func appendFields(b []byte, by kpi.Set) []byte {
	b = append(b, '[')
	for i, field := range by {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, field)
	}
	return append(b, ']')
}

// labelKeys are the keys of a labels object, ready to be appended.
func labelKeys(by kpi.Set) [][]byte {
	keys := make([][]byte, len(by))
	for i, field := range by {
		if i > 0 {
			keys[i] = []byte{','}
		}
		keys[i] = append(appendString(keys[i], field), ':')
	}
	return keys
}

func appendLabels(b []byte, keys [][]byte, values []string) []byte {
	b = append(b, '{')
	for i, value := range values {
		b = appendString(append(b, keys[i]...), value)
	}
	return append(b, '}')
}

// appendValue writes value, numerator, denominator and n. Amounts of several
// currencies have no sum, and nothing has no largest number.
func appendValue(b []byte, k *kpi.KPI, s *sample.Sample) []byte {
	if s.Mixed || s.Null && !k.Ratio() {
		return append(b, `"value":null,"numerator":null,"n":0`...)
	}
	b = append(b, `"value":`...)
	switch {
	case s.Null:
		b = append(b, "null"...)
	case k.Ratio(), k.Scale != 0:
		b = appendFloat(b, s.Value(k))
	default:
		b = appendNumber(b, s.Numerator)
	}
	b = appendNumber(append(b, `,"numerator":`...), s.Numerator)
	if k.Ratio() {
		b = appendNumber(append(b, `,"denominator":`...), s.Denominator)
	}
	return strconv.AppendInt(append(b, `,"n":`...), s.N(k), 10)
}

func appendInterval(b []byte, k *kpi.KPI, s *sample.Sample) []byte {
	low, high, ok := s.Interval(k)
	if !ok {
		return b
	}
	b = appendFloat(append(b, `,"low":`...), low)
	return appendFloat(append(b, `,"high":`...), high)
}

// appendExactness says how far off a value can be: what was folded into
// "__other__" may be missing from a series, and a quantile is that of bins.
func appendExactness(b []byte, s *sample.Sample) []byte {
	return append(append(append(b, `,"exactness":"`...), s.Exactness()...), '"')
}

// appendNumber writes a number with all its digits.
func appendNumber(b []byte, n sample.Number) []byte {
	return append(b, n.String()...)
}

// appendFloat writes the shortest text that reads back as f.
func appendFloat(b []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(b, "null"...)
	}
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		return strconv.AppendFloat(b, f, 'e', -1, 64)
	}
	return strconv.AppendFloat(b, f, 'f', -1, 64)
}

// appendString writes a JSON string; what needs escaping is left to
// encoding/json.
func appendString(b []byte, s string) []byte {
	if !plain(s) {
		text, err := json.Marshal(s)
		if err != nil {
			return append(b, `""`...)
		}
		return append(b, text...)
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

func plain(s string) bool {
	ascii := true
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' {
			return false
		} else if c >= utf8.RuneSelf {
			ascii = false
		}
	}
	return ascii || utf8.ValidString(s)
}
