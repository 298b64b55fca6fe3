//go:build acceptance

package acceptance

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"
)

// A query asks a service for figures over HTTP.
type query struct {
	t              *testing.T
	url            string
	first, last    time.Time // of the events sent
	sent, distinct int64
}

type sample struct {
	Labels      map[string]string
	Numerator   int64
	Denominator int64
}

type ledger struct {
	Received, Counted, Duplicate, Late, Quarantined, Future, Filtered int64
}

func (q *query) must(err error) {
	q.t.Helper()
	if err != nil {
		q.t.Fatal(err)
	}
}

// kpi asks for a KPI with pairs of parameters.
func (q *query) kpi(name string, pairs ...string) []sample {
	q.t.Helper()
	var data struct{ Samples []sample }
	q.get("/api/v1/kpis/"+name+parameters(pairs), &data)
	return data.Samples
}

// sum adds up the numerators of a range.
func (q *query) sum(name string, pairs ...string) int64 {
	q.t.Helper()
	var data struct {
		Series []struct{ Points []sample }
	}
	q.get("/api/v1/kpis/"+name+"/range"+parameters(pairs), &data)
	var n int64
	for _, s := range data.Series {
		for _, p := range s.Points {
			n += p.Numerator
		}
	}
	return n
}

func parameters(pairs []string) string {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return "?" + v.Encode()
}

type ledgerAnswer struct {
	Total     ledger
	Watermark time.Time
}

func (q *query) ledger() ledger {
	q.t.Helper()
	var data ledgerAnswer
	q.get("/api/v1/ledger", &data)
	return data.Total
}

func (q *query) watermark() time.Time {
	q.t.Helper()
	var data ledgerAnswer
	q.get("/api/v1/ledger", &data)
	return data.Watermark
}

// days are the dates in a zone from the first to the last event.
func (q *query) days(zone string) []string {
	q.t.Helper()
	loc, err := time.LoadLocation(zone)
	q.must(err)
	var days []string
	y, m, d := q.first.In(loc).Date()
	end := q.last.In(loc).Format(time.DateOnly)
	for i := 0; ; i++ {
		day := time.Date(y, m, d+i, 12, 0, 0, 0, time.UTC).Format(time.DateOnly)
		days = append(days, day)
		if day >= end {
			return days
		}
	}
}

// get asks until the service is ready: it may be recovering.
func (q *query) get(path string, data any) {
	q.t.Helper()
	limit := time.After(time.Minute)
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for {
		status, err := q.once(path, data)
		if err == nil {
			return
		}
		if status != http.StatusServiceUnavailable {
			q.t.Fatalf("GET %s: %v", path, err)
		}
		select {
		case <-limit:
			q.t.Fatalf("GET %s: still so after a minute: %v", path, err)
		case <-poll.C:
		}
	}
}

func (q *query) once(path string, data any) (status int, err error) {
	res, err := http.Get(q.url + path)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	var envelope struct {
		Status, Error string
		Data          json.RawMessage
	}
	if err := json.NewDecoder(res.Body).Decode(&envelope); err != nil {
		return res.StatusCode, fmt.Errorf("%s: %w", res.Status, err)
	}
	if envelope.Status != "success" {
		return res.StatusCode, fmt.Errorf("%s: %s", res.Status, envelope.Error)
	}
	return res.StatusCode, json.Unmarshal(envelope.Data, data)
}

// await waits until the service shows n events received. A service that lags
// or just restarted is asked again.
func (q *query) await(n int64) {
	q.t.Helper()
	limit := time.After(time.Minute)
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for q.ledger().Received < n {
		select {
		case <-limit:
			q.t.Fatalf("the ledger shows %d of %d events after a minute", q.ledger().Received, n)
		case <-poll.C:
		}
	}
}
