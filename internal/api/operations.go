package api

import (
	"bytes"
	"cmp"
	"net/http"
	"strings"

	"github.com/VictoriaMetrics/metrics"
)

// operations is what the one who runs the service asks.
type operations struct {
	Deps
	router *router
	reads  *reads
}

// scraped is how many values /metrics is counted as.
const scraped = 4096

func (*operations) healthy(*http.Request) (answer, error) { return answer{data: "healthy"}, nil }

func (o *operations) ready(*http.Request) (answer, error) {
	// A pause may be what a recovery waits for: it goes first.
	if err := cmp.Or(o.Engine.Paused(), o.Engine.Ready()); err != nil {
		return answer{}, Unavailable("%v", err)
	}
	return answer{data: "ready", warnings: o.Engine.Warnings()}, nil
}

func (o *operations) reload(r *http.Request) (answer, error) {
	if o.Reload == nil {
		err := Unavailable("there is nothing to reload here: restart the service")
		err.Status = http.StatusNotImplemented
		return answer{}, err
	}
	if err := o.Engine.Ready(); err != nil {
		return answer{}, Unavailable("%v", err)
	}
	restart, err := o.Reload(r.Context())
	if err != nil {
		return answer{}, BadData("the old configuration stays: %v", err)
	}
	out := answer{data: "reloaded"}
	if len(restart) > 0 {
		out.warnings = []string{"what has changed of these keys of the configuration takes a restart: " + strings.Join(restart, ", ")}
	}
	return out, nil
}

func (o *operations) metrics(w http.ResponseWriter, r *http.Request) {
	share, err := o.reads.start(r.Context(), scraped)
	if err != nil {
		o.router.respond(w, r, answer{}, err)
		return
	}
	defer share.done()
	var b bytes.Buffer
	o.Metrics.WritePrometheus(&b)
	metrics.WriteProcessMetrics(&b)
	if o.KPIs != nil {
		o.KPIs.WriteKPIs(&b)
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	o.router.send(w, r, http.StatusOK, b.Bytes())
}
