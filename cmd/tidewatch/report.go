package main

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/tidewatch/tidewatch/internal/backtest"
	"github.com/tidewatch/tidewatch/internal/spelling"
)

// printReport writes what came of rules as tables.
func printReport(out io.Writer, r *backtest.Report) error {
	const at = "2006-01-02 15:04:05 -07:00"
	fmt.Fprintf(out, "From %s to %s: %s, %s\n", utc(r.From.Time), utc(r.To.Time),
		spelling.Number(len(r.Alerts), "alert", "alerts"), spelling.Number(r.Notifications, "notification", "notifications"))
	if r.RestsOnSealed() {
		fmt.Fprintf(out, "By sealed values: every %s, by history as it is in the end\n", seconds(r.Step))
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nRULE\tFIRED\tFOR\tJUDGED\t")
	for _, v := range r.Rules {
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\n", v.Rule, v.Fired, seconds(v.Seconds), judged(r, v), v.LastError)
	}
	if len(r.Alerts) > 0 {
		fmt.Fprintln(w, "\nALERT\tFIRED AT\tFOR\tVALUE\tJUDGED\tLABELS")
	}
	for _, a := range r.Alerts {
		lasted := "still firing"
		if !a.ResolvedAt.IsZero() {
			lasted = a.ResolvedAt.Sub(a.FiredAt.Time).Round(time.Second).String()
		}
		if a.Corrected {
			lasted += ", corrected"
		}
		var labels []string
		for _, name := range slices.Sorted(maps.Keys(a.Labels)) {
			if name != "alertname" {
				labels = append(labels, name+"="+a.Labels[name])
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", a.Rule, a.FiredAt.Local().Format(at), lasted, digits(a.Annotations["value"]), a.Judged, strings.Join(labels, " "))
	}
	return w.Flush()
}

// judged says what a rule was judged by.
func judged(r *backtest.Report, v backtest.Verdict) string {
	because := ""
	if v.Because != "" {
		because = ": " + v.Because
	}
	switch {
	case v.KnownFrom.IsZero():
		return string(backtest.BySealedValues) + because
	case v.KnownFrom.Equal(r.From.Time):
		return string(backtest.AsKnownThen)
	}
	return fmt.Sprintf("%s from %s on, before %s%s", backtest.AsKnownThen, utc(v.KnownFrom.Time), backtest.BySealedValues, because)
}

func seconds(s float64) time.Duration {
	return time.Duration(s * float64(time.Second)).Round(time.Second)
}

// digits are those of a value that say something.
func digits(value string) string {
	v, err := strconv.ParseFloat(value, 64)
	if err != nil || v == math.Trunc(v) {
		return value
	}
	if math.Abs(v) >= 1e4 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 5, 64)
}

func utc(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z07:00") }
