package delivery

import (
	"encoding/json"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
)

// An entry is a notification for one integration, as the outbox keeps it. Once it
// is settled it only keeps older ones of its alert from being sent, and itself
// from being sent again, until an epoch has passed its window end.
type entry struct {
	Integration  string              `json:"webhook"` // its name
	Order        int64               `json:"order"`
	Queued       time.Time           `json:"queued"`
	Notification alerts.Notification `json:"notification"`
	Settled      Outcome             `json:"settled,omitempty"`
	// Attempts, Tried and Error tell of the last attempt. They are written at
	// the first, second, fourth, eighth ...: enough to be listed by a later run.
	Attempts int       `json:"attempts,omitempty"`
	Tried    time.Time `json:"tried,omitzero"`
	Error    string    `json:"error,omitempty"`

	// failures in a row in this run, refused if they were refusals.
	failures int
	refused  bool
	// alone is set if nothing else may go out in its message: it may be to blame for the
	// failure of an earlier one.
	alone bool
	// notBefore is the earliest time of the next attempt: for what an earlier run
	// left at once, as what was wrong may be mended.
	notBefore time.Time
}

func (e *entry) key() string { return e.Notification.ID + "/" + e.Integration }

// settle makes the entry as small as it can be.
func (e *entry) settle(as Outcome) *entry {
	n := e.Notification
	return &entry{Integration: e.Integration, Order: e.Order, Settled: as, Notification: alerts.Notification{ID: n.ID, Alert: n.Alert, WindowEnd: n.WindowEnd}}
}

func encode(e *entry) []byte {
	b, err := json.Marshal(e)
	if err != nil {
		panic(err) // an entry is made of texts and numbers
	}
	return b
}

// giveUpAfter is how long a notification is tried. An alert of last week helps
// nobody, and what is never taken must not pile up.
const giveUpAfter = 7 * 24 * time.Hour
