// Package alertmanager answers Alertmanager's API, version 2, over the alerts that fire
// and the silences that delivery heeds: by Alertmanager's own handlers, so that its
// clients find what they know. Alerts come from rules: nobody can post one.
package alertmanager

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"sort"
	"sync/atomic"
	"time"

	"github.com/prometheus/alertmanager/alert"
	v2 "github.com/prometheus/alertmanager/api/v2"
	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/provider"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/delivery"
)

// An API answers below /api/v2/.
type API struct {
	deliverer *delivery.Deliverer
	file      atomic.Pointer[file]
	external  string
	firing    func() []alerts.Notification
	v2        *v2.API
}

// A file is the receivers, and the routes to them.
type file struct {
	*delivery.Receivers
	routes *dispatch.Route
}

// New makes the API of a deliverer. Firing are the alerts that fire, as they were last
// told, externalURL is where people reach the service.
func New(d *delivery.Deliverer, receivers *delivery.Receivers, externalURL string, firing func() []alerts.Notification) (*API, error) {
	a := &API{deliverer: d, external: externalURL, firing: firing}
	var err error
	a.v2, err = v2.NewAPI(a, a.groups, d.GroupMuted, d.Silences().Silences, nil, promslog.NewNopLogger(), prometheus.NewRegistry())
	if err != nil {
		return nil, fmt.Errorf("make Alertmanager's API: %w", err)
	}
	a.Reload(receivers)
	return a, nil
}

// Reload has the API show other receivers.
func (a *API) Reload(receivers *delivery.Receivers) {
	shown := receivers.Shown()
	a.file.Store(&file{receivers, dispatch.NewRoute(shown.Route, nil)})
	a.v2.Update(shown, a.deliverer.Mark)
}

// ServeHTTP answers. A silence that is accepted is durable and in effect when the client
// hears of it.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		a.v2.Handler.ServeHTTP(w, r)
		return
	}
	said := &saying{header: http.Header{}, code: http.StatusOK}
	if err := complete(r); err != nil {
		said = refusal(http.StatusBadRequest, err.Error())
	} else {
		a.v2.Handler.ServeHTTP(said, r)
	}
	if said.code/100 == 2 {
		if err := a.deliverer.Silenced(); err != nil {
			said = refusal(http.StatusInternalServerError, "in effect, but not kept: a restart forgets it, unless it is kept until then: "+err.Error())
		}
	}
	maps.Copy(w.Header(), said.header)
	w.WriteHeader(said.code)
	_, _ = w.Write(said.body.Bytes())
}

// complete refuses a silence in which a matcher is null: Alertmanager's handler reads it all
// the same.
func complete(r *http.Request) error {
	text, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(text), r.Body)) // that fails again, if it has
	var silence struct {
		Matchers []*struct{} `json:"matchers"`
	}
	if err != nil || json.Unmarshal(text, &silence) != nil {
		return nil // it is told by the handler
	}
	if i := slices.Index(silence.Matchers, nil); i >= 0 {
		return fmt.Errorf("matchers[%d] is null: give name, value, isRegex and isEqual, or leave it out", i)
	}
	return nil
}

// refusal is an answer that says why, as Alertmanager does.
func refusal(code int, why string) *saying {
	s := &saying{header: http.Header{"Content-Type": {"application/json"}}, code: code}
	_ = json.NewEncoder(&s.body).Encode(why)
	return s
}

// A saying is an answer that is not out yet.
type saying struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

func (s *saying) Header() http.Header         { return s.header }
func (s *saying) WriteHeader(code int)        { s.code = code }
func (s *saying) Write(b []byte) (int, error) { return s.body.Write(b) }

// alerts are those that fire, as Alertmanager has them.
func (a *API) alerts() []*alert.Alert {
	var out []*alert.Alert
	for _, n := range a.firing() {
		out = append(out, &alert.Alert{UpdatedAt: time.UnixMilli(n.WindowEnd), Alert: model.Alert{
			Labels: labelSet(n.Labels), Annotations: labelSet(n.Annotations), StartsAt: n.StartsAt, EndsAt: n.EndsAt, GeneratorURL: n.Link,
		}})
	}
	return out
}

func labelSet(m map[string]string) model.LabelSet {
	set := make(model.LabelSet, len(m))
	for k, v := range m {
		set[model.LabelName(k)] = model.LabelValue(v)
	}
	return set
}

// groups are the alerts that fire, as the routes group them.
func (a *API) groups(_ context.Context, route func(*dispatch.Route) bool, shown func(*alert.Alert, time.Time) bool) (dispatch.AlertGroups, map[model.Fingerprint][]string, error) {
	groups, receivers := map[string]*dispatch.AlertGroup{}, map[model.Fingerprint][]string{}
	now, file := time.Now(), a.file.Load()
	for _, one := range a.alerts() {
		if !shown(one, now) {
			continue
		}
		for _, r := range file.routes.Match(one.Labels) {
			o := r.RouteOpts
			if !route(r) {
				continue
			}
			labels := model.LabelSet{}
			for name, value := range one.Labels {
				if _, by := o.GroupBy[name]; by || o.GroupByAll {
					labels[name] = value
				}
			}
			key := r.ID() + ":" + labels.String()
			if groups[key] == nil {
				groups[key] = &dispatch.AlertGroup{Labels: labels, Receiver: o.Receiver, RouteID: r.ID(), GroupKey: r.Key() + ":" + labels.String(), RouteLabels: o.Labels}
			}
			groups[key].Alerts = append(groups[key].Alerts, one)
			if fp := one.Fingerprint(); !slices.Contains(receivers[fp], o.Receiver) {
				receivers[fp] = append(receivers[fp], o.Receiver)
			}
		}
	}
	var out dispatch.AlertGroups
	for _, g := range groups {
		sort.Sort(g.Alerts)
		g.RouteLabels = file.RouteLabels(g.Receiver, a.external, g.Labels, g.RouteLabels, g.Alerts)
		out = append(out, g)
	}
	sort.Sort(out)
	return out, receivers, nil
}

// GetPending implements provider.Alerts.
func (a *API) GetPending() provider.AlertIterator {
	all := a.alerts()
	ch := make(chan *provider.Alert, len(all))
	for _, one := range all {
		ch <- &provider.Alert{Data: one}
	}
	close(ch)
	return provider.NewAlertIterator(ch, make(chan struct{}), nil)
}

// Get implements provider.Alerts.
func (a *API) Get(fp model.Fingerprint) (*alert.Alert, error) {
	for _, one := range a.alerts() {
		if one.Fingerprint() == fp {
			return one, nil
		}
	}
	return nil, provider.ErrNotFound
}

// errPosted is for who posts an alert.
var errPosted = errors.New("alerts come from the rules of this service: add a rule")

// Put implements provider.Alerts.
func (a *API) Put(context.Context, ...*alert.Alert) error { return errPosted }

// Subscribe implements provider.Alerts, for the handlers, which do not ask for it.
func (a *API) Subscribe(string) provider.AlertIterator { return a.GetPending() }

// SlurpAndSubscribe implements provider.Alerts, for the same.
func (a *API) SlurpAndSubscribe(name string) ([]*alert.Alert, provider.AlertIterator) {
	return nil, a.Subscribe(name)
}
