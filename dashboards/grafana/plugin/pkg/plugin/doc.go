// Package plugin is the backend of Grafana's data source for Tidewatch.
//
// # Queries
//
// A [Query] is stored in dashboards. Of the kind kpi it has
//   - as series a frame for each series (timeseries-multi): a time, which is the end of a
//     window, of a business day its beginning, and a value named by the KPI, with the
//     labels of the series. What it is held against are series KPI_yesterday with the
//     label compare, at the times of what is held against it. A series that is followed
//     live is a field of one frame for the KPI (timeseries-wide), whose Meta names the
//     channel. A business day is there once it is over;
//   - as latest a frame for each series (numeric-multi) with one value, and one for each
//     change, KPI_yesterday_change with the label compare; live a frame of one row
//     (timeseries-wide), with a channel. With closed it is of a window that is over;
//   - as table one frame, with a column for each label, for each KPI, and for each of its
//     comparisons KPI_yesterday and KPI_yesterday_change. Rows of what the service itself
//     tells apart follow each other as it has them, such as the steps of a funnel;
//   - as triangle one frame, with a row for each business day that is over, a column day,
//     those of labels, users, and one for each KPI, empty where it is not final.
//
// Parts other than the value, and bounds, are named as the series of PromQL are:
// KPI_low, KPI_denominator. The kinds users, alerts and revisions are one table each.
// Alerts and revisions have the columns of annotations: time, timeEnd, title, text, tags.
// The kind freshness is one number, freshness, in seconds. Values that the service gives
// to labels stay as they are, and are shown by their names (mappings).
//
// Amounts are in major units, if the query does not say minor: divided by the minor units
// of their currency. Titles name that; it is a label where the breakdown has it, or where
// a series changes it. A value in several currencies is null.
//
// What a reader should know of numbers stands in the notices of the first frame, each
// once. A range in which nothing is kept, or no window ends, is an empty frame with a
// notice, no error.
//
// # Streams
//
// The path of a channel is kpi/ with the query in base64url, or, where Grafana has no room
// for that, a name that the backend gave it while the panel was asked for. The first
// message has the schema, and so has one that brings another series; the others are rows.
// A series has a row for each window that closes, at its end, one for each time; that of
// the day so far has one for each change of it, too, at the watermark. latest has rows of
// the live window alone.
//
// # Resources
//
//	GET kpis                                         the data of the API's /api/v1/kpis
//	GET values?kpi=&field=[&window=][&from=][&to=]   {"values": ["douyin", "wechat"]}
//
// values takes times in ms, and filters as a query has them, as JSON. An error is {"error":
// text, "message": text} with the status of the API.
package plugin
