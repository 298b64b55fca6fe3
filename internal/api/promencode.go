package api

import (
	"math"
	"strconv"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
)

// A promResult is the value of an expression.
type promResult struct {
	value parser.Value
	limit int // of series; 0 for none
}

// cut leaves out series beyond the limit. It tells how many are left, and how many there
// were.
func (p *promResult) cut() (left, all int) {
	switch v := p.value.(type) {
	case promql.Vector:
		if all, left = len(v), len(v); p.limit > 0 && all > p.limit {
			p.value, left = v[:p.limit], p.limit
		}
	case promql.Matrix:
		if all, left = len(v), len(v); p.limit > 0 && all > p.limit {
			p.value, left = v[:p.limit], p.limit
		}
	}
	return left, all
}

func (p *promResult) writeJSON(e *encoder) {
	e.b = append(e.b, `{"resultType":"`...)
	e.b = append(e.b, p.value.Type()...)
	e.b = append(e.b, `","result":`...)
	switch v := p.value.(type) {
	case promql.Vector:
		writeList(e, len(v), func(i int) {
			e.b = appendMetric(append(e.b, `{"metric":`...), v[i].Metric)
			e.b = append(appendPromPoint(append(e.b, `,"value":`...), v[i].T, v[i].F), '}')
		})
	case promql.Matrix:
		writeList(e, len(v), func(i int) {
			e.b = appendMetric(append(e.b, `{"metric":`...), v[i].Metric)
			e.b = append(e.b, `,"values":`...)
			writeList(e, len(v[i].Floats), func(j int) {
				e.b = appendPromPoint(e.b, v[i].Floats[j].T, v[i].Floats[j].F)
			})
			e.b = append(e.b, '}')
		})
	case promql.Scalar:
		e.b = appendPromPoint(e.b, v.T, v.V)
	case promql.String:
		e.b = appendString(append(appendPromTime(append(e.b, '['), v.T), ','), v.V)
		e.b = append(e.b, ']')
	default:
		e.b = append(e.b, "null"...)
	}
	e.b = append(e.b, '}')
}

// writeList writes an array, item by item, as long as somebody reads.
func writeList(e *encoder, n int, item func(i int)) {
	e.b = append(e.b, '[')
	for i := range n {
		if i > 0 {
			e.b = append(e.b, ',')
		}
		item(i)
		if !e.more() {
			return
		}
	}
	e.b = append(e.b, ']')
}

// promSeries are the labels of series.
type promSeries []labels.Labels

func (p promSeries) writeJSON(e *encoder) {
	writeList(e, len(p), func(i int) { e.b = appendMetric(e.b, p[i]) })
}

func appendMetric(b []byte, m labels.Labels) []byte {
	b = append(b, '{')
	first := true
	m.Range(func(l labels.Label) {
		if !first {
			b = append(b, ',')
		}
		first = false
		b = appendString(append(appendString(b, l.Name), ':'), l.Value)
	})
	return append(b, '}')
}

// appendPromPoint writes [seconds,"value"].
func appendPromPoint(b []byte, ms int64, v float64) []byte {
	b = append(appendPromTime(append(b, '['), ms), `,"`...)
	switch {
	case math.IsInf(v, 1):
		b = append(b, "+Inf"...)
	default:
		b = appendShort(b, v)
	}
	return append(b, `"]`...)
}

// appendShort writes a number as Prometheus does: without an exponent unless it is very
// large or small.
func appendShort(b []byte, v float64) []byte {
	if n := int64(v); float64(n) == v && -maxWhole < n && n < maxWhole && (n != 0 || !math.Signbit(v)) {
		return strconv.AppendInt(b, n, 10)
	}
	format := byte('f')
	if abs := math.Abs(v); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(b, v, format, -1, 64)
}

// maxWhole is more than whole numbers that are written as such: all digits of these are
// told.
const maxWhole = 1 << 53

// appendPromTime writes milliseconds as seconds.
func appendPromTime(b []byte, ms int64) []byte {
	if ms < 0 {
		b, ms = append(b, '-'), -ms
	}
	b = strconv.AppendInt(b, ms/1000, 10)
	if rest := ms % 1000; rest != 0 {
		b = append(b, '.', byte('0'+rest/100), byte('0'+rest/10%10), byte('0'+rest%10))
	}
	return b
}
