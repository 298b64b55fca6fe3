// Package queryable shows the KPIs to Prometheus' query engine, as a storage of series.
//
// A series is a part of a KPI by a dimension set in a window length, at one set of
// labels: kpi_ctr_numerator{by="channel",channel="douyin",window="5m"}. Its samples
// stand at the ends of the kept windows. Between two ends that are more than a minute
// apart the value stands at every whole minute, so that a lookback of five minutes finds
// it; what has no value any more has a stale marker. The window that is not over has a
// sample at the watermark. A business day stands where it ends; a KPI whose days have no
// value before nothing more becomes known of them, where that is, and its series name the
// day as cohort.
//
// Nothing is read that the engine will not look at: the windows of a selector are those
// that stand at its instants, unless it needs all of a range.
package queryable
