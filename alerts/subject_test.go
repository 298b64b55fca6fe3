package alerts

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tidewatch/tidewatch/kpi"
)

// What a figure is of, and in which unit: unknown wherever an expression computes.
func TestSubject(t *testing.T) {
	for expr, want := range map[string]string{
		`kpi_ctr{window="5m"} < 0.1`:                                           "ctr percent",
		`kpi_ctr_high{window="5m"} < 0.1`:                                      "ctr percent",
		`kpi_ctr_numerator{window="5m"} < 10`:                                  "ctr count",
		`kpi_ctr_denominator{window="5m"} < 10`:                                "ctr count",
		`kpi_gmv_paid{by="total",window="1h"} < 10`:                            "gmv_paid money",
		`kpi_aov_numerator{by="total",window="1h"} < 10`:                       "aov money",
		`kpi_aov_denominator{by="total",window="1h"} < 10`:                     "aov count",
		`0.1 > max by (channel) (kpi_ctr{by="channel",window="5m"})`:           "ctr percent",
		`kpi_ctr{window="5m"} < 0.1 and kpi_plays{window="5m"} > 9`:            "ctr percent",
		`kpi_ctr{window="5m"} < on () kpi_completion_rate{window="5m"}`:        "ctr percent",
		`avg_over_time(kpi_gmv_paid{by="total",window="1h"}[1h]) < 9`:          "gmv_paid money",
		`quantile_over_time(0.9, kpi_gmv_paid{window="1h"}[1h:5m]) < 9`:        "gmv_paid money",
		`sum by (channel) (kpi_gmv_paid{by="channel",window="1m"}) > 9`:        "gmv_paid money whatever",
		`sum(kpi_gmv_paid{by="currency",window="1m"}) > 9`:                     "gmv_paid money whatever",
		`sum(kpi_gmv_paid{by="currency",currency="JPY",window="1m"}) > 9`:      "gmv_paid money JPY",
		`max by (currency) (kpi_gmv_paid{by="channel",window="1m"}) > 9`:       "gmv_paid money",
		`sum without (channel) (kpi_gmv_paid{by="channel",window="1m"}) > 9`:   "gmv_paid money",
		`topk(1, kpi_gmv_paid{by="channel",window="1m"}) > 9`:                  "gmv_paid money",
		`kpi_ctr{window="5m"} / kpi_ctr{window="1h"} < 0.5`:                    "",
		`kpi_ctr{window="5m"} < bool 0.1`:                                      "",
		`count(kpi_ctr{by="channel",window="5m"}) < 3`:                         "",
		`rate(kpi_gmv_paid{by="total",window="1h"}[1h]) < 9`:                   "",
		`absent(kpi_ctr{window="5m"})`:                                         "",
		`kpi_ctr{window="5m"} or kpi_completion_rate{window="5m"}`:             "",
		`sum(kpi_plays{by="channel",window="5m"}) unless kpi_ctr{window="5m"}`: "plays count",
	} {
		e := engine(t, rulesOf("alert: A, expr: '"+expr+"'"))
		got := ""
		for _, g := range e.groups {
			for _, r := range g.rules {
				if s := r.subject(); s != nil {
					got = strings.TrimSpace(fmt.Sprint(s.KPI, " ", s.Unit, " ", s.Currency))
					if s.Across {
						got += " whatever"
					}
				}
			}
		}
		if got != want {
			t.Errorf("%s is of %q, want %q", expr, got, want)
		}
	}
}

// Ends and parts are not the KPI itself.
func TestSubjectOfPart(t *testing.T) {
	for expr, want := range map[string]kpi.Text{
		`kpi_ctr{window="5m"} < 0.1`:                   {EN: "Click-through rate", ZH: "点击率"},
		`kpi_ctr_high{window="5m"} < 0.1`:              {EN: "Upper end of Click-through rate", ZH: "点击率的区间上限"},
		`kpi_ctr_low{window="5m"} > 0.1`:               {EN: "Lower end of Click-through rate", ZH: "点击率的区间下限"},
		`kpi_ctr_numerator{window="5m"} > 0.1`:         {EN: "Numerator of Click-through rate", ZH: "点击率的分子"},
		`kpi_ctr_denominator{window="5m"} > 0.1`:       {EN: "Denominator of Click-through rate", ZH: "点击率的分母"},
		`max(kpi_ctr_high{window="5m"}) < 0.1`:         {EN: "Upper end of Click-through rate", ZH: "点击率的区间上限"},
		`kpi_ctr_baseline{by="total",window="1h"} > 1`: {EN: "Usual Click-through rate", ZH: "点击率的常态值"},
	} {
		r := engine(t, rulesOf("alert: A, expr: '"+expr+"'"))
		for _, g := range r.groups {
			for _, r := range g.rules {
				if got := r.subject().Title; got != want {
					t.Errorf("%s is of %v, want %v", expr, got, want)
				}
			}
		}
	}
}

// The resolve of a rule that is gone still says what it is of.
func TestSubjectOutlivesTheRule(t *testing.T) {
	rules := rulesOf(`alert: Low, expr: 'kpi_ctr{window="5m"} < 0.2'`)
	e := engine(t, rules)
	fired := e.Evaluate(at1(1), board{"ctr/total/5m": {ratio(1, 100)}})
	if len(fired) != 1 {
		t.Fatalf("told %v", fired)
	}
	told := restart(t, e, rulesOf(`alert: Other, expr: 'kpi_ctr{window="5m"} < 0'`)).Evaluate(at1(2), board{})
	if len(told) != 1 || told[0].Subject == nil || *told[0].Subject != *fired[0].Subject || !told[0].ActiveAt.Equal(fired[0].ActiveAt) {
		t.Errorf("told %+v", told)
	}
}
