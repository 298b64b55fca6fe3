package kpi

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/tidewatch/tidewatch/internal/document"
)

// Retention is an operator that tells who comes back so long after a start: by business
// days, on the one that is n days after that of the start; else from n times 24 hours
// after the start on, for 24 hours, the end not included. A user starts at most once a
// business day: the first start of it counts.
//
// Its facts have a field "fact", one of RetentionFacts. They are of the business day of
// the start, with the texts of the event that it is:
//
//	cohort    a user starts
//	returned  after: who started is back after so many days, told once
type Retention struct {
	// Where is what an event is that is looked at, nil for every one.
	Where *Expr
	// Start and Return are which events these are. One event may be both.
	Start, Return *Expr
	// First has the first start of a user alone count. Who has not started for StartDays
	// business days after that of the last start starts first again.
	First bool
	// Rolling counts 24 hours from the start in place of business days.
	Rolling bool
	// After are the days after which somebody is back, ascending.
	After []int
}

// RetentionFacts are the kinds of facts of Retention.
var RetentionFacts = []string{FactCohort, FactReturned}

// The kinds of facts of Retention.
const (
	FactCohort   = "cohort"
	FactReturned = "returned"
)

// StartDays is for how many business days after that of a user's last start it is known
// that the user has started before.
const StartDays = 400

// Follows implements Journey: what is both, a start and a return; starts; returns.
func (r *Retention) Follows() []Followed {
	return []Followed{
		{Where: narrow(r.Where, narrow(r.Start, r.Return))},
		{Where: narrow(r.Where, r.Start)},
		{Where: narrow(r.Where, r.Return)},
	}
}

// Key implements Journey: there is nothing to tell apart.
func (r *Retention) Key() []string { return nil }

// FactNames implements Journey.
func (r *Retention) FactNames() []string { return RetentionFacts }

// Horizon implements Journey. Within 24 hours clocks may be set forward.
func (r *Retention) Horizon() int {
	most := slices.Max(r.After)
	if !r.Rolling {
		return most
	}
	return min(daysOf(time.Duration(most+1)*day+time.Hour), maxHorizon)
}

func (r *Retention) kinds() factKinds {
	var after []string
	for _, n := range r.After {
		after = append(after, strconv.Itoa(n))
	}
	returned := factKind{counted: true, fields: map[string][]string{AfterField: after}, waits: AfterField}
	if r.Rolling { // the 24 hours end on the day after
		returned.waitsMore = 1
	}
	return factKinds{FactCohort: {counted: true}, FactReturned: returned}
}

// Spans of Retention.
const (
	byDay     = "day"
	byRolling = "24h"
)

func (r *Retention) meaning() string {
	by, of := byDay, "every"
	if r.Rolling {
		by = byRolling
	}
	if r.First {
		of = "first"
	}
	return fmt.Sprintf("retention(%s start %s; return %s; by %s; after %v; %s)", of, r.Start, r.Return, by, r.After, r.Where)
}

func readRetention(n document.Node) Journey {
	m := n.Mapping("start", "return", "first", "by", "after", "where")
	r := &Retention{Where: readWhere(m), Start: readFilter(m, "start", nil), Return: readFilter(m, "return", nil), After: []int{1, 3, 7, 14, 30}}
	for _, key := range []string{"start", "return"} {
		if !m.Has(key) {
			m.Missing("says not which events are a "+key, "add "+key+`: 'type == "pay"'`)
		}
	}
	if at, ok := m.Get("first"); ok {
		r.First, _ = at.Bool()
	}
	if at, ok := m.Get("by"); ok {
		switch by := at.Text(); by {
		case "", byDay:
		case byRolling:
			r.Rolling = true
		default:
			at.Fail(strconv.Quote(by), "is no way to count days", "write day for business days, or 24h for 24 hours from the start on")
		}
	}
	if at, ok := m.Get("after"); ok {
		r.readAfter(at)
	}
	warnOverlooked(m, r.Where, "starts", r.Start)
	warnOverlooked(m, r.Where, "returns", r.Return)
	return r
}

func (r *Retention) readAfter(n document.Node) {
	most := maxHorizon
	if r.Rolling {
		most--
	}
	var after []int
	for _, item := range n.Items() {
		days, ok := item.Integer(1, most)
		switch {
		case !ok:
		case slices.Contains(after, days):
			item.Fail(strconv.Itoa(days), "stands there twice", "keep one")
		default:
			after = append(after, days)
		}
	}
	if len(after) == 0 {
		if n.Null() || n.List() && len(n.Items()) == 0 {
			n.Fail("a list of 0", "names no days", "write after: [1, 7, 30], or leave it out")
		}
		return
	}
	slices.Sort(after)
	r.After = after
}
