package kpi

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tidewatch/tidewatch/internal/document"
)

// RFM is an operator that ranks the users who paid, each business day, by how long ago
// that was (recency), for how many orders (frequency) and how much in all (monetary): a
// tier from 1 to 5 of each. A day counts the orders that were paid first on one of the
// last RFMDays days, with this one; an order is a pay with an order_id, and all further
// ones of it; a pay without one is an order by itself. At most MaxOrders orders of a user
// are known.
//
// Its facts have a field "fact", which is "customer", and "segment", one of RFMSegments:
// a level of the users who are in the segment at the end of the day.
type RFM struct {
	// Where is what a pay or refund is that is looked at, nil for every one.
	Where *Expr
	// Recency is the days since the last payment up to which R is 5, 4, 3 and 2, 0 being
	// the day of the payment.
	Recency RFMCuts
	// Frequency is the orders from which on F is 2, 3, 4 and 5.
	Frequency RFMCuts
	// Monetary has the currencies whose amounts count, by their codes. M is the highest
	// that any of them gives, 1 without one.
	Monetary []RFMCurrency
	// Quintiles has the cuts of a business day be the quintiles of those who are customers as
	// it begins, each currency's of those with an order in it. They hold for the day, whatever
	// comes late; where there is nobody as the day begins, the cuts above do.
	Quintiles bool
	// Hysteresis is by how many per cent of a cut a user has to be beyond it at the end of a
	// day to fall below the tier of the day before. By default 0: a tier is what the cuts
	// give.
	Hysteresis int
}

// RFMCuts are where a tier ends and the next one begins, ascending.
type RFMCuts [4]int

// RFMCurrency is from which amounts on M is 2, 3, 4 and 5, in whole units of a currency:
// what was paid for the orders less what was refunded of each, at least 0.
type RFMCurrency struct {
	Code string
	Cuts RFMCuts
}

// RFMSegments are the groups of users by whether M, R and F are high, which is 3 or more:
// the first four are those of a high M; R and F are both high, R alone, F alone, neither.
var RFMSegments = []string{
	"important_value", "important_development", "important_keeping", "important_recall",
	"general_value", "general_development", "general_keeping", "general_recall",
}

// RFMDays is on how many days an order counts, the one on which it was first paid being
// the first.
const RFMDays = 365

// FactCustomer is the kind of facts of RFM.
const FactCustomer = "customer"

// SegmentField says in which of RFMSegments a user is.
const SegmentField = "segment"

var rfmFacts = factKinds{FactCustomer: {bare: true, fields: map[string][]string{SegmentField: RFMSegments}}}

// Follows implements Journey: of each currency with cuts pay and refund, and then those of
// all others.
func (o *RFM) Follows() (out []Followed) {
	types := [...]string{"pay", "refund"}
	for _, c := range o.Monetary {
		for _, t := range types {
			out = append(out, Followed{narrow(o.Where, join(And, textIs("type", t), textIs(CurrencyField, c.Code))), []string{AmountField}})
		}
	}
	for _, t := range types {
		out = append(out, Followed{Where: narrow(o.Where, textIs("type", t))})
	}
	return out
}

// Key implements Journey.
func (o *RFM) Key() []string { return []string{"order_id"} }

// FactNames implements Journey.
func (o *RFM) FactNames() []string { return []string{FactCustomer} }

// Horizon implements Journey: what happens changes the days from its own on.
func (o *RFM) Horizon() int { return 0 }

func (o *RFM) kinds() factKinds { return rfmFacts }

func (o *RFM) meaning() string {
	more := ""
	if o.Quintiles {
		more = "; quintiles " + daily
	}
	if o.Hysteresis > 0 {
		more += fmt.Sprintf("; hysteresis %d%%", o.Hysteresis)
	}
	return fmt.Sprintf("rfm(recency %v; frequency %v; monetary %v; %s%s)", o.Recency, o.Frequency, o.Monetary, o.Where, more)
}

const (
	// maxRFMCurrencies is how many currencies have kinds of rows of their own.
	maxRFMCurrencies = 15
	// maxRFMAmount bounds cuts of amounts, in whole units.
	maxRFMAmount = 1_000_000_000
	// maxHysteresis is how many per cent of a cut a tier outlasts it at most.
	maxHysteresis = 50
	// daily is how often quintiles are found.
	daily = "daily"
)

func readRFM(n document.Node) Journey {
	m := n.Mapping("where", "recency", "frequency", "monetary", "quintiles", "hysteresis")
	o := &RFM{Where: readWhere(m), Recency: RFMCuts{7, 14, 30, 90}, Frequency: RFMCuts{2, 3, 5, 10}}
	if at, ok := m.Get("recency"); ok {
		o.Recency = readCuts(at, 1, RFMDays-1)
	}
	if at, ok := m.Get("frequency"); ok {
		o.Frequency = readCuts(at, 2, MaxOrders)
	}
	if at, ok := m.Get("monetary"); ok {
		o.readMonetary(at)
	} else {
		o.Monetary = []RFMCurrency{{"CNY", RFMCuts{50, 200, 500, 2000}}}
	}
	if at, ok := m.Get("quintiles"); ok {
		if o.Quintiles = at.Value() == daily; !o.Quintiles {
			at.Fail(at.Shown(), "is not how often quintiles are found", "write "+daily+", or leave it out")
		}
	}
	if at, ok := m.Get("hysteresis"); ok {
		if o.Hysteresis = readHysteresis(at); m.Has("quintiles") {
			at.Fail("hysteresis", "does not go with quintiles", "keep one: a tier outlasts cuts that stay")
		}
	}
	return o
}

// readHysteresis reads whole per cents.
func readHysteresis(n document.Node) int {
	text := n.Text()
	digits, is := strings.CutSuffix(text, "%")
	share, err := strconv.Atoi(digits)
	if text != "" && (!is || err != nil || share < 1 || share > maxHysteresis) {
		n.Fail(strconv.Quote(text), fmt.Sprintf("is no hysteresis from 1%% to %d%%", maxHysteresis), "write whole per cents of a cut, such as 10%, or leave it out")
	}
	return share
}

func (o *RFM) readMonetary(n document.Node) {
	m := n.Entries()
	switch {
	case len(m.Keys) == 0:
		m.Missing("names no currency", "write {CNY: [50, 200, 500, 2000]}, or leave it out")
	case len(m.Keys) > maxRFMCurrencies:
		n.Fail(strconv.Itoa(len(m.Keys)), "currencies are too many", fmt.Sprintf("keep %d: payments in others count for recency and frequency", maxRFMCurrencies))
	}
	for _, code := range m.Keys {
		if !IsCurrency([]byte(code)) {
			m.FailKey(code, "is no code of ISO 4217", "write it in capitals, such as CNY")
			continue
		}
		at, _ := m.Get(code)
		o.Monetary = append(o.Monetary, RFMCurrency{code, readCuts(at, 1, maxRFMAmount)})
	}
	slices.SortFunc(o.Monetary, func(a, b RFMCurrency) int { return strings.Compare(a.Code, b.Code) })
}

// readCuts reads four numbers between low and high.
func readCuts(n document.Node, low, high int) (cuts RFMCuts) {
	items := n.Items()
	if n.List() && len(items) != len(cuts) || n.Null() {
		n.Fail(strconv.Itoa(len(items)), "is not how many cuts five tiers have", "give four numbers, each above the one before")
		return cuts
	}
	for i, item := range items {
		cut, ok := item.Integer(low, high)
		if ok && i > 0 && cut <= cuts[i-1] {
			item.Fail(strconv.Itoa(cut), fmt.Sprintf("does not exceed %d, the cut before", cuts[i-1]), "give four numbers, each above the one before")
		}
		cuts[i] = cut
	}
	return cuts
}
