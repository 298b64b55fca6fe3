package api

import (
	"context"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/delivery"
	"github.com/tidewatch/tidewatch/alerts/history"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// An Engine answers queries. Its errors are *Error where the asker is to know
// the reason; any other is an internal error.
type Engine interface {
	Catalogue() *kpi.Catalogue
	Query(ctx context.Context, q Query) (*sample.Answer, error)
	Range(ctx context.Context, q RangeQuery) (*RangeAnswer, error)
	// Kept is the span of time whose windows are kept, zero before the first event.
	// In the newest second newest is before oldest.
	Kept(w kpi.Window) (oldest, newest time.Time)
	Ledger() Ledger
	// Ready says why queries cannot be answered yet; nil when they can.
	Ready() error
	// Paused says why no events are taken; nil when they are. Queries are
	// answered all the same.
	Paused() error
	// Warnings are what the one who runs the service should know of while it goes
	// on: what is lost, and a clock that is wrong.
	Warnings() []string
	// Changes returns a channel that is closed at the next change of what
	// queries see. Ask before reading: no change is missed then.
	Changes() <-chan struct{}
}

// A Query asks for a KPI's series over one window.
type Query struct {
	KPI *kpi.KPI
	// Window and By are kept by the KPI.
	Window kpi.Window
	By     kpi.Set
	// Match holds the values that fields of By must have.
	Match map[string]string
	// At asks for the newest window with end <= At. A date in the request is
	// the instant at which that business day ends. Zero is the live window.
	At time.Time
}

// A RangeQuery asks for a KPI's series over consecutive windows: those that
// end in (From, To], Step apart.
type RangeQuery struct {
	KPI    *kpi.KPI
	Window kpi.Window
	By     kpi.Set
	Match  map[string]string
	From   time.Time
	// To is zero for all that is known.
	To time.Time
	// Step is a multiple of the window's step; zero for business days.
	Step time.Duration
	// Grow, if there is one, is told of the values that the answer has so far, and
	// of how many windows. Its error ends the reading.
	Grow func(values, windows int64) error
}

// A RangeAnswer is a KPI's series over time.
type RangeAnswer struct {
	KPI    *kpi.KPI
	Window kpi.Window
	By     kpi.Set
	// Start and End bound its windows, [Start, End): zero where there are none.
	Start, End time.Time
	// AsOf is the event time up to which the newest of them has what is in.
	AsOf time.Time
	// Watermark is the event time before which the input is believed complete; zero
	// before the first event.
	Watermark time.Time
	Series    []sample.Series
	Warnings  []string
}

// A Ledger is the account of all events received, and how far they reach.
type Ledger struct {
	Total stream.Ledger
	// Lanes splits the total by lane.
	Lanes map[string]stream.Ledger
	// Watermark is zero before the first event.
	Watermark time.Time
	// Begins is the time of the first event, zero before it: of windows that end by
	// then nothing is known.
	Begins time.Time
	// Position is the stream sequence up to which queries see events.
	Position uint64
	// Backlog is how many messages the stream has beyond it.
	Backlog uint64
}

// An Ingester writes into the event stream.
type Ingester interface {
	// Append publishes events, NDJSON, and answers once the stream has synced
	// them. RateLimited when it is full. After an error the text is not used
	// again.
	Append(ctx context.Context, text []byte) (sequence uint64, err error)
	// Close states that every event before to (Unix milliseconds) is in.
	Close(ctx context.Context, to int64) error
}

// A Checker validates events as the engine does. *stream.Decoder is one.
type Checker interface {
	// Judge finds the events of a body and those that would be quarantined. It
	// may use the room behind the text; its answer holds until the next one.
	Judge(text []byte) (stream.Body, error)
	// Check says why an event would be quarantined, in a word and as an error
	// for its sender.
	Check(line []byte) (id string, reason stream.Reason, err error)
}

// Alerts is the state of the rules and of their notifications.
type Alerts interface {
	Alerts() AlertView
	// Counts are how many alerts are firing and pending.
	Counts() (firing, pending int)
	// Rules are how the rules stand.
	Rules() []alerts.RuleStatus
	// AlertHistory is which alerts fired.
	AlertHistory(q history.Query) history.Page
	// Receivers are those who can be told, and how they fare.
	Receivers() []delivery.ReceiverStatus
	// TryReceiver sends a test to a receiver.
	TryReceiver(ctx context.Context, name string) ([]delivery.Trial, error)
	// Resend has a notification tried at once, as delivery.Deliverer has it.
	Resend(id, receiver string) ([]delivery.Delivery, error)
	// Drop has one that was given up not be sent again, as delivery.Deliverer has it.
	Drop(id, receiver string) ([]delivery.Delivery, error)
}

// An AlertView is what GET /api/v1/alerts answers.
type AlertView struct {
	alerts.Status
	delivery.Progress
	Reload Reload `json:"reload"`
}

// A Reload is how rules and receivers were read last.
type Reload struct {
	// SucceededAt is since when those at work are.
	SucceededAt alerts.Time `json:"succeeded_at"`
	// FailedAt is when other ones were refused since, zero if none were, Error why.
	FailedAt alerts.Time `json:"failed_at"`
	Error    string      `json:"error"`
}
