package delivery

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
)

// Alertmanagers in memory, by their hosts.
type managers struct {
	t     *testing.T
	mu    sync.Mutex
	begin time.Time
	calls map[string][]string
	// answers are the statuses, 0 for a connection that breaks, 200 by default.
	answers map[string]int
	headers map[string]http.Header
	firing  []alerts.Notification
}

func managing(t *testing.T) *managers {
	return &managers{t: t, begin: time.Now(), calls: map[string][]string{}, answers: map[string]int{}, headers: map[string]http.Header{}}
}

func (m *managers) RoundTrip(r *http.Request) (*http.Response, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.headers[r.URL.Host] = r.Header
	var all []posted
	if err := json.NewDecoder(r.Body).Decode(&all); err != nil || r.URL.Path != "/am/api/v2/alerts" {
		m.t.Errorf("%s: %v", r.URL, err)
	}
	var said []string
	for _, a := range all {
		said = append(said, fmt.Sprint(a.Labels["alertname"], " ends ", a.EndsAt.Sub(m.begin)))
	}
	slices.Sort(said)
	m.calls[r.URL.Host] = append(m.calls[r.URL.Host], fmt.Sprint(time.Since(m.begin), ": ", strings.Join(said, ", ")))
	status, ok := m.answers[r.URL.Host]
	if ok && status == 0 {
		return nil, errors.New("connection refused")
	}
	return &http.Response{StatusCode: max(status, 200), Body: http.NoBody, Request: r}, nil
}

// take answers the calls of a host since it was last asked.
func (m *managers) take(host string) string {
	synctest.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	out := strings.Join(m.calls[host], "\n")
	delete(m.calls, host)
	return out
}

func (m *managers) fires(ns ...alerts.Notification) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.firing = ns
}

func (m *managers) answer(host string, status int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.answers[host] = status
}

func (m *managers) deliverer(b *box, logged func(Delivery)) *Deliverer {
	return deliverer(m.t, nil, b, Options{Transport: m, Log: logged, Alertmanagers: []Alertmanager{{URL: "http://u:s3cret@one/am/"}, {URL: "http://two/am"}},
		Firing: func() []alerts.Notification {
			m.mu.Lock()
			defer m.mu.Unlock()
			return m.firing
		}})
}

func (m *managers) expect(got, want string) {
	m.t.Helper()
	if got != want {
		m.t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// An alert is sent when it fires and every minute while it does; that it is resolved, for a
// quarter of an hour, also after a restart.
func TestForward(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, b := managing(t), newBox()
		d := m.deliverer(b, nil)
		low := says("Low", alerts.Firing, 1)
		m.fires(low)
		notifyAll(t, d, low)
		time.Sleep(90 * time.Second)
		for _, host := range []string{"one", "two"} {
			m.expect(m.take(host), "0s: Low ends 4m0s\n1m0s: Low ends 5m0s")
		}
		if one, two := m.headers["one"].Get("Authorization"), m.headers["two"].Get("Authorization"); one != "Basic dTpzM2NyZXQ=" || two != "" {
			t.Errorf("let in by %q and %q", one, two)
		}
		over := says("Low", alerts.Resolved, 2)
		m.fires()
		notifyAll(t, d, over)
		m.expect(m.take("two"), "1m30s: Low ends 1m30s")
		time.Sleep(time.Minute)
		m.expect(m.take("two"), "2m30s: Low ends 2m30s")
		stop(d)

		next := m.deliverer(b, nil)
		time.Sleep(time.Minute)
		m.expect(m.take("two"), "2m30s: Low ends 2m30s\n3m30s: Low ends 3m30s")
		time.Sleep(time.Hour)
		if got := strings.Split(m.take("two"), "\n"); len(got) != 12 || got[11] != "15m30s: Low ends 15m30s" {
			t.Errorf("until the end: %q", got)
		}
		if err := next.Committed(at1(3)); err != nil || len(b.current()) != 0 {
			t.Errorf("kept %v, %v", b.current(), err)
		}
	})
}

// An Alertmanager that is down delays no other, and gets how things stand once it is up.
func TestForwardToOneThatIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := managing(t)
		var logged []Delivery
		d := m.deliverer(newBox(), func(v Delivery) { logged = append(logged, v) })
		m.answer("one", 0)
		low, other := says("Low", alerts.Firing, 1), says("Other", alerts.Firing, 1)
		m.fires(low, other)
		notifyAll(t, d, low, other)
		m.expect(m.take("two"), "0s: Low ends 4m0s, Other ends 4m0s")
		time.Sleep(30 * time.Second)
		m.fires(other)
		notifyAll(t, d, says("Low", alerts.Resolved, 2))
		m.expect(m.take("two"), "30s: Low ends 30s")
		if n := len(strings.Split(m.take("one"), "\n")); n < 5 || n > 12 {
			t.Errorf("%d tries in 30 s", n)
		}
		if r := d.Progress().Receivers; len(r) != 2 || r[0].Owed != 2 || r[1].Owed != 0 || strings.Contains(r[0].Name, "s3cret") {
			t.Errorf("receivers %+v", r)
		}
		m.answer("one", 200)
		time.Sleep(15 * time.Second)
		if got := m.take("one"); strings.Count(got, "\n") != 0 || !strings.Contains(got, "Low ends") || !strings.Contains(got, "Other ends") {
			t.Errorf("got %s", got)
		}
		if last := logged[len(logged)-1]; last.Outcome != Delivered || len(logged) > 6 || logged[0].Outcome != Retrying || logged[0].Error == "" {
			t.Errorf("logged %+v", logged)
		}
	})
}

// What one refuses is sent again in a minute, and does not hold up what comes.
func TestForwardRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := managing(t)
		d := m.deliverer(newBox(), nil)
		m.answer("one", 400)
		var all []alerts.Notification
		for i := range mostForwarded + 1 {
			all = append(all, says(fmt.Sprintf("A%03d", i), alerts.Firing, 1))
		}
		m.fires(all...)
		notifyAll(t, d, all...)
		time.Sleep(time.Second)
		if got := strings.Split(m.take("one"), "\n"); len(got) != 2 || strings.Count(got[0], "ends") != mostForwarded {
			t.Errorf("%d calls", len(got))
		}
		if r := d.Progress().Receivers; r[0].Owed != len(all) {
			t.Errorf("receivers %+v", r)
		}
		m.answer("one", 200)
		time.Sleep(time.Minute)
		if r := d.Progress().Receivers; r[0].Owed != 0 {
			t.Errorf("receivers %+v", r)
		}
	})
}

// While it fires an alert is sent as it stands.
func TestForwardedAsItStands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		low := says("Low", alerts.Firing, 1)
		var values []string
		d := deliverer(t, nil, newBox(), Options{
			Alertmanagers: []Alertmanager{{URL: "http://one/am"}}, Firing: func() []alerts.Notification { return []alerts.Notification{low} },
			Standing: func(n alerts.Notification) alerts.Notification {
				n.Annotations = map[string]string{"value": "0.2"}
				return n
			},
			Transport: posting(func(all []posted) {
				for _, a := range all {
					values = append(values, a.Annotations["value"])
				}
			}),
		})
		notifyAll(t, d, low)
		time.Sleep(90 * time.Second)
		synctest.Wait()
		if got := strings.Join(values, " "); got != "0.1 0.2" {
			t.Errorf("sent %s", got)
		}
	})
}

// posting is told what an Alertmanager gets.
type posting func([]posted)

func (p posting) RoundTrip(r *http.Request) (*http.Response, error) {
	var all []posted
	if err := json.NewDecoder(r.Body).Decode(&all); err != nil {
		return nil, err
	}
	p(all)
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: r}, nil
}
