package remote

import (
	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"

	"github.com/tidewatch/tidewatch/internal/queryable"
)

// maxSamples is how many samples a request has at most.
const maxSamples = 10_000

// A request gathers series until it is full.
type request struct {
	prompb.WriteRequest
	samples int
}

// add takes samples of a series in, as many as there is room for, and answers the rest.
func (r *request) add(s queryable.Series) (rest queryable.Series) {
	n := min(len(s.Points), maxSamples-r.samples)
	out := prompb.TimeSeries{Samples: make([]prompb.Sample, n)}
	s.Labels.Range(func(l labels.Label) { out.Labels = append(out.Labels, prompb.Label{Name: l.Name, Value: l.Value}) })
	for i := range n {
		out.Samples[i] = prompb.Sample{Timestamp: s.Points[i].T(), Value: s.Points[i].F()}
	}
	r.Timeseries = append(r.Timeseries, out)
	r.samples += n
	return queryable.Series{Labels: s.Labels, Points: s.Points[n:]}
}

func (r *request) full() bool { return r.samples >= maxSamples }

// halves are the first and the last of its series, if there are several.
func (r *request) halves() (first, last *request, ok bool) {
	n := len(r.Timeseries) / 2
	if n == 0 {
		return nil, nil, false
	}
	return requestOf(r.Timeseries[:n]), requestOf(r.Timeseries[n:]), true
}

func requestOf(series []prompb.TimeSeries) *request {
	r := &request{WriteRequest: prompb.WriteRequest{Timeseries: series}}
	for i := range series {
		r.samples += len(series[i].Samples)
	}
	return r
}

// body is the request as it is sent.
func (r *request) body() ([]byte, error) {
	text, err := r.Marshal()
	if err != nil {
		return nil, err
	}
	return snappy.Encode(nil, text), nil
}
