// Package kpi holds the definitions: which KPIs a service keeps, what each of
// them counts, for which dimension sets, over which windows, and where a
// business day begins. It does no I/O and evaluates nothing.
//
// A [Catalogue] is made by [Load] from the embedded default catalogue
// (catalogue.yaml) and the files of a user. A user's definition replaces the
// default of the same name, "drop: [name]" removes one, and "keep: [name]" all
// others:
//
//	kpis:
//	  - name: completion_rate
//	    title: {en: Completion rate, zh: 完播率}
//	    unit: percent
//	    ratio:
//	      numerator:   {count: {where: 'type == "play" and watch_ms >= duration_ms * 0.99'}}
//	      denominator: {count: {where: 'type == "play"'}}
//	    by: [channel, region, [channel, device]]
//	    windows: [1m, 5m, 1h, 24h, day]
//	drop: [orders]
//
// A KPI has one of count, sum, max, min, mean, quantile, distinct, ratio, at_risk
// and churned, and may have minus and scale. Keys are strict, and one run reports every mistake, each as a [document.Problem].
//
// A filter (where) is an [Expr]. It is written in the syntax of expr-lang and
// compiled to a canonical tree: two filters that differ only in spelling give
// equal trees, so that equal measures are kept once, and the version in
// [KPI].ID changes exactly when the numbers may.
package kpi
