package alerts

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// amount is of a money KPI in a currency.
func amount(n int64, currency string, series ...string) sample.Sample {
	s := count(n, series...)
	s.Currency = currency
	return s
}

// mixed are amounts in several currencies.
var mixed = sample.Sample{Null: true, Mixed: true}

func TestAlertsOfCurrencies(t *testing.T) {
	const (
		high   = `alert: High, expr: 'kpi_gmv_paid{window="1h"} > 9'`
		low    = `alert: Low, expr: 'kpi_gmv_paid{window="1h"} < 9'`
		inCNY  = `alert: Low, expr: 'kpi_gmv_paid{window="1h",currency="CNY"} < 9'`
		inUSD  = `alert: Low, expr: 'kpi_gmv_paid{window="1h",currency="USD"} < 9'`
		waits  = low + `, for: 2s`
		keeps  = high + `, keep_firing_for: 1m`
		either = `alert: Low, expr: 'kpi_gmv_paid{window="1h"} < 9', no_data: alert`
	)
	for _, tt := range []struct {
		name, rules string
		samples     []sample.Sample
		want        string // what is told at each second
	}{
		{"has the currency", high, []sample.Sample{amount(10, "CNY"), amount(5, "CNY")}, "firing CNY; resolved CNY"},
		{"in another it is another alert", high, []sample.Sample{amount(10, "CNY"), amount(10, "USD"), amount(5, "USD")}, "firing CNY; resolved CNY, firing USD; resolved USD"},
		{"that does not fire", keeps, []sample.Sample{amount(10, "CNY"), amount(5, "USD")}, "firing CNY; resolved CNY"},
		{"is in doubt while several meet", high, []sample.Sample{amount(10, "CNY"), mixed, amount(10, "USD")}, "firing CNY; ; resolved CNY, firing USD"},
		{"an amount of nothing is in none", low, []sample.Sample{amount(0, ""), amount(5, "CNY"), amount(10, "CNY")}, "firing ; ; resolved "},
		{"or in that of the alert", low, []sample.Sample{amount(5, "CNY"), amount(0, ""), amount(10, "CNY")}, "firing CNY; ; resolved CNY"},
		{"a pending alert comes to have one", waits, []sample.Sample{amount(0, ""), amount(5, "CNY"), amount(5, "CNY")}, "; ; firing CNY"},
		{"a pending alert loses it", waits, []sample.Sample{amount(5, "CNY"), amount(5, "USD"), amount(5, "USD"), amount(5, "USD")}, "; ; ; firing USD"},
		{"none of several", either, []sample.Sample{mixed, amount(5, "CNY"), amount(10, "CNY")}, "firing ; ; resolved "},
		{"rules of a currency each", inCNY + "\n" + inUSD, []sample.Sample{amount(0, ""), amount(10, "CNY"), amount(10, "USD")}, "firing CNY, firing USD; resolved CNY; resolved USD"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := engine(t, rulesOf(tt.rules))
			var got []string
			ids := map[string]string{}
			for i, s := range tt.samples {
				var told []string
				for _, n := range e.Evaluate(at1(int64(i)), board{"gmv_paid/total/1h": {s}}) {
					told = append(told, string(n.Status)+" "+n.Labels["currency"])
					if id := n.Alert + n.Fingerprint; ids[n.Labels["currency"]] == "" {
						ids[n.Labels["currency"]] = id
					} else if ids[n.Labels["currency"]] != id {
						t.Errorf("%s is of %s, what fired was %s", n.Status, id, ids[n.Labels["currency"]])
					}
					if n.Status == Resolved && n.Annotations["resolved_because"] != "" && (n.Annotations["value"] != "0" || n.Annotations["currency"] != n.Labels["currency"]) {
						t.Errorf("resolved with %v", n.Annotations)
					}
				}
				slices.SortStableFunc(told, func(a, b string) int { return -strings.Compare(a[:1], b[:1]) })
				got = append(got, strings.Join(told, ", "))
				state, clock := e.State()
				if e = engine(t, rulesOf(tt.rules)); e.Restore(state, clock) != nil {
					t.Fatal("a restart does not know the state")
				}
			}
			if got := strings.Join(got, "; "); got != tt.want {
				t.Errorf("told %q, want %q", got, tt.want)
			}
		})
	}
}

// What an expression comes to has the currency among its labels: an alert goes on through an
// edit from a selector to one, and back.
func TestFormEditOfAmounts(t *testing.T) {
	const (
		selector   = `alert: High, expr: 'kpi_gmv_paid{window="1h"} > 9'`
		expression = `alert: High, expr: 'kpi_gmv_paid{by="total",window="1h"} * 1 > 9'`
		ofCNY      = `alert: High, expr: 'kpi_gmv_paid{window="1h",currency="CNY"} > 9'`
		ofUSD      = `alert: High, expr: 'kpi_gmv_paid{window="1h",currency="USD"} > 9'`
	)
	view := func(n int64) board {
		b := board{"gmv_paid/total/1h": {amount(n, "CNY")}}
		text := `kpi_gmv_paid{by="total",window="1h"} * 1`
		b[text] = []sample.Sample{count(n, "by", "total", "currency", "CNY", "window", "1h")}
		if b[text+" > 9"] = nil; n > 9 {
			b[text+" > 9"] = b[text]
		}
		return b
	}
	for _, tt := range []struct{ from, to, fires, over string }{
		{selector, expression, "", "resolved"},
		{expression, selector, "", "resolved"},
		{selector, ofCNY, "", "resolved"},
		{expression, ofCNY, "", "resolved"},
		{ofCNY, ofUSD, "resolved", ""},
		{expression, ofUSD, "resolved", ""},
	} {
		t.Run(tt.from+" to "+tt.to, func(t *testing.T) {
			var ids []string
			told := func(e *Engine, second, n int64) (out string) {
				for _, n := range e.Evaluate(at1(second), view(n)) {
					out = strings.TrimSpace(out + " " + string(n.Status))
					ids = append(ids, fmt.Sprint(n.Alert, n.Fingerprint, n.Labels))
				}
				return out
			}
			e := engine(t, rulesOf(tt.from))
			if got := told(e, 0, 10); got != "firing" {
				t.Fatalf("told %q", got)
			}
			for range 2 { // an edit, a restart
				state, clock := e.State()
				if e = engine(t, rulesOf(tt.to)); e.Restore(state, clock) != nil {
					t.Fatal("a restart does not know the state")
				}
			}
			fires, over := told(e, 15, 10), told(e, 30, 5)
			if fires != tt.fires || over != tt.over {
				t.Errorf("fires: told %q, want %q; over: told %q, want %q", fires, tt.fires, over, tt.over)
			}
			if len(slices.Compact(ids)) != 1 {
				t.Errorf("told of %q", ids)
			}
		})
	}
}

// What is divided by an amount has its currency, too, as a label that selectors may match.
func TestFormEditOfDividedByAmounts(t *testing.T) {
	c, err := kpi.Load(time.UTC, kpi.File{Name: "kpis.yaml", Data: []byte(`
keep: []
kpis:
  - {name: orders_per_spend, title: {en: a, zh: a}, ratio: {numerator: {count: {where: 'type == "order"'}}, denominator: {sum: {field: amount_minor, where: 'type == "ad_cost"'}}}, unit: number, windows: [1h]}
`)})
	if err != nil {
		t.Fatal(err)
	}
	s := ratio(5, 1000)
	s.Currency = "CNY"
	const text = `kpi_orders_per_spend{by="total",window="1h"} * 1`
	result := []sample.Sample{count(0, "by", "total", "currency", "CNY", "window", "1h")}
	b := board{"orders_per_spend/total/1h": {s}, text: result, text + " < 1": result}
	rules := []string{`kpi_orders_per_spend{window="1h"} < 1`, text + " < 1", `kpi_orders_per_spend{window="1h",currency="CNY"} < 1`}
	for _, from := range rules {
		for _, to := range rules {
			begin := func(expr string) *Engine {
				f, err := LoadRules("rules.yml", []byte(rulesOf("alert: Low, expr: '"+expr+"'")), c)
				if err != nil {
					t.Fatal(err)
				}
				e, err := NewEngine([]*RuleFile{f}, c, EngineOptions{})
				if err != nil {
					t.Fatal(err)
				}
				return e
			}
			e := begin(from)
			if told := e.Evaluate(at1(0), b); len(told) != 1 || told[0].Labels["currency"] != "CNY" {
				t.Errorf("%s tells %v", from, told)
			}
			state, clock := e.State()
			if e = begin(to); e.Restore(state, clock) != nil {
				t.Fatal("a restart does not know the state")
			}
			for _, n := range e.Evaluate(at1(15), b) {
				t.Errorf("%s to %s: %s is told", from, to, n.Status)
			}
		}
	}
}

// Where nothing is in any currency, rules are told apart if one of them is of a single one.
func TestTwinsOfCurrencies(t *testing.T) {
	for _, tt := range []struct {
		a, b  string
		apart bool
	}{
		{`currency="CNY"`, `currency="USD"`, true},
		{`currency="CNY"`, `currency!="CNY"`, true},
		{`currency="CNY"`, `currency=~"USD|EUR"`, true},
		{`currency=~"CNY|JPY"`, `currency=~"USD|EUR"`, false},
		{`currency="CNY"`, `currency=~"CNY|EUR"`, false},
	} {
		rule := `alert: Low, expr: 'kpi_gmv_paid{window="1h",%s} < 9'`
		if _, err := LoadRules("rules.yml", []byte(rulesOf(fmt.Sprintf(rule+"\n"+rule, tt.a, tt.b))), catalogue(t)); (err == nil) != tt.apart {
			t.Errorf("%s and %s: error %v, want apart: %v", tt.a, tt.b, err, tt.apart)
		}
	}
}
