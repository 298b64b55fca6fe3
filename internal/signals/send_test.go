package signals

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/rs/zerolog"

	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/internal/retry"
	"github.com/tidewatch/tidewatch/stream/jetstream"
)

// answers is a receiver in memory: its n-th attempt gets the n-th answer, the ones
// beyond them a 200. 0 breaks the connection, -1 never answers.
type answers struct {
	began time.Time
	given []answer
	at    []time.Duration
}

type answer struct {
	status int
	after  string
}

func (a *answers) RoundTrip(req *http.Request) (*http.Response, error) {
	a.at = append(a.at, time.Since(a.began))
	now := answer{status: 200}
	if n := len(a.at) - 1; n < len(a.given) {
		now = a.given[n]
	}
	switch now.status {
	case 0:
		return nil, errors.New("broken")
	case -1:
		<-req.Context().Done()
		return nil, req.Context().Err()
	}
	header := http.Header{}
	if now.after != "" {
		header.Set("Retry-After", now.after)
	}
	return &http.Response{StatusCode: now.status, Header: header, Body: io.NopCloser(strings.NewReader("no")), Request: req}, nil
}

func hookTo(transport http.RoundTripper, c config.Webhook) *webhook {
	w := newWebhook("crm.example", c, nil, Options{Metrics: metrics.NewSet(), Log: zerolog.Nop()})
	if transport != nil {
		w.client.Transport = transport
	}
	return w
}

var one = pack([]jetstream.Stored{{Sequence: 1, Data: []byte(`{"id":"1"}`)}})

// TestPauses: when a batch is sent again. Half of a pause is chance.
func TestPauses(t *testing.T) {
	type pause struct{ least, most int64 } // ms
	for _, c := range []struct {
		name  string
		given []answer
		want  []pause
	}{
		{"taken", nil, nil},
		{"errors", []answer{{status: 500}, {status: 408}, {status: 0}, {status: 429}},
			[]pause{{250, 500}, {500, 1000}, {1000, 2000}, {2000, 4000}}},
		{"refusals", []answer{{status: 410}, {status: 400}, {status: 301}},
			[]pause{{2500, 5000}, {5000, 10_000}, {10_000, 20_000}}},
		{"refused, then not", []answer{{status: 410}, {status: 502}, {status: 502}}, []pause{{2500, 5000}, {250, 500}, {500, 1000}}},
		{"wishes", []answer{{503, "30"}, {429, "Sat, 01 Jan 2000 00:02:00 GMT"}, {503, "86400"}, {400, "7"}},
			[]pause{{30_000, 30_000}, {90_000, 90_000}, {3_600_000, 3_600_000}, {7000, 7000}}},
		{"no answer", []answer{{status: -1}}, []pause{{15_250, 15_500}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				to := &answers{began: time.Now(), given: c.given}
				if got := hookTo(to, config.Webhook{URL: "http://crm.example"}).send(t.Context(), t.Context(), one); got != len(c.want)+1 {
					t.Errorf("taken at attempt %d, want %d", got, len(c.want)+1)
				}
				for i, w := range c.want {
					if got := (to.at[i+1] - to.at[i]).Milliseconds(); got < w.least || got > w.most {
						t.Errorf("pause %d is %d ms, want %d to %d", i, got, w.least, w.most)
					}
				}
			})
		})
	}
}

// TestTriesWithoutEnd: a receiver that is away for 29 days gets the batch, and is
// asked every few seconds only at first.
func TestTriesWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const away = 29 * 24 * time.Hour
		began, attempts := time.Now(), 0
		hook := hookTo(roundTripper(func(req *http.Request) (*http.Response, error) {
			attempts++
			status := 410
			if time.Since(began) > away {
				status = 200
			}
			return &http.Response{StatusCode: status, Body: http.NoBody, Request: req}, nil
		}), config.Webhook{URL: "http://crm.example"})
		if hook.send(t.Context(), t.Context(), one) == 0 {
			t.Error("given up")
		}
		if least := int(away / retry.MostRefused); attempts < least || attempts > 2*least+10 {
			t.Errorf("%d attempts, want %d to %d", attempts, least, 2*least+10)
		}
	})
}

// TestStopsBetween: the end of ctx ends a pause, not an attempt; that of posting ends
// an attempt.
func TestStopsBetween(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		to := &answers{began: time.Now(), given: []answer{{503, "60"}}}
		time.AfterFunc(time.Second, cancel)
		if got := hookTo(to, config.Webhook{URL: "http://crm.example"}).send(ctx, t.Context(), one); got != 0 || len(to.at) != 1 || time.Since(to.began) != time.Second {
			t.Errorf("taken at attempt %d of %v, after %s", got, to.at, time.Since(to.began))
		}
		to = &answers{began: time.Now()}
		if got := hookTo(to, config.Webhook{URL: "http://crm.example"}).send(ctx, t.Context(), one); got != 1 {
			t.Errorf("taken at attempt %d, want 1", got)
		}
		posting, abort := context.WithCancel(t.Context())
		to = &answers{began: time.Now(), given: []answer{{status: -1}}}
		time.AfterFunc(time.Second, abort)
		if got := hookTo(to, config.Webhook{URL: "http://crm.example"}).send(ctx, posting, one); got != 0 || time.Since(to.began) != time.Second {
			t.Errorf("taken at attempt %d, after %s", got, time.Since(to.began))
		}
	})
}

type roundTripper func(req *http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// TestSecretIsRenewed: the secret of an attempt is the one that is there then, and
// nothing goes out unsigned while there is none.
func TestSecretIsRenewed(t *testing.T) {
	hook := newReceiver(t, nil)
	secret := filepath.Join(t.TempDir(), "secret")
	w := hookTo(nil, config.Webhook{URL: hook.URL, SecretFile: secret})
	for _, text := range []string{"one", "", "two"} {
		if text == "" {
			if err := os.Remove(secret); err != nil {
				t.Fatal(err)
			}
			if a := w.post(t.Context(), one); a.Err == nil || !a.Refused {
				t.Errorf("without a secret: %+v", a)
			}
			continue
		}
		if err := os.WriteFile(secret, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if a := w.post(t.Context(), one); a.Err != nil {
			t.Fatal(a.Err)
		}
		if c := hook.next(t); !c.signed(text) {
			t.Errorf("not signed with %s: %v", text, c.header)
		}
	}
	hook.silent(t)
}

// TestTellsNoSecret: no error has a part of an address but its host, or of an answer.
func TestTellsNoSecret(t *testing.T) {
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "http://other.example/p4ss")
		w.WriteHeader(map[string]int{"/301/p4ss": 301, "/410/p4ss": 410}[r.URL.Path])
		fmt.Fprint(w, "p4ss ", r.URL)
	}))
	t.Cleanup(plain.Close)
	encrypted := httptest.NewTLSServer(http.NotFoundHandler())
	encrypted.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(encrypted.Close)
	babble, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { babble.Close() })
	go func() {
		for {
			c, err := babble.Accept()
			if err != nil {
				return
			}
			fmt.Fprint(c, "p4ss\r\n\r\n")
			c.Close()
		}
	}()
	gone := httptest.NewServer(nil)
	gone.Close()
	for url, want := range map[string]string{
		plain.URL + "/301/p4ss": "answered 301: redirects are not followed",
		plain.URL + "/410/p4ss": "answered 410: remove the receiver",
		strings.Replace(plain.URL, "http://", "https://u:p4ss@", 1) + "/p4ss": "no answer in HTTP",
		encrypted.URL + "/p4ss?p4ss":                                          "certificate",
		"http://" + babble.Addr().String() + "/p4ss":                          "no answer in HTTP",
		gone.URL + "/p4ss":                                                    "connection refused: start what listens there",
	} {
		a := hookTo(nil, config.Webhook{URL: url}).post(t.Context(), one)
		if a.Err == nil || !strings.Contains(a.Err.Error(), want) || strings.Contains(a.Err.Error(), "p4ss") {
			t.Errorf("%s: %v, want it to say %q, and no secret", url, a.Err, want)
		}
	}
}

// TestPack: equal signals make an equal batch, others another.
func TestPack(t *testing.T) {
	a := jetstream.Stored{Sequence: 1, Data: []byte(`{"id":"a"}`)}
	b := jetstream.Stored{Sequence: 2, Data: []byte(`{"id":"b"}`)}
	both := pack([]jetstream.Stored{a, b})
	if string(both.body) != `[{"id":"a"},{"id":"b"}]` || both.last != 2 {
		t.Errorf("%s up to %d", both.body, both.last)
	}
	ids := []string{both.id, pack([]jetstream.Stored{a, b}).id, pack([]jetstream.Stored{a}).id, pack([]jetstream.Stored{b, a}).id}
	if ids[0] != ids[1] || len(slices.Compact(slices.Sorted(slices.Values(ids)))) != 3 {
		t.Errorf("ids %v, want the first two alike", ids)
	}
}
