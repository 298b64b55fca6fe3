package client

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestNew(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"http://127.0.0.1:8080", "http://127.0.0.1:8080"},
		{"https://kpi.example/tidewatch/?a=b#c", "https://kpi.example/tidewatch"},
		{"127.0.0.1:8080", ""},
		{"localhost", ""},
		{"ftp://kpi.example", ""},
		{"http://", ""},
	} {
		c, err := New(tt.in, "", nil, nil)
		if (err == nil) != (tt.want != "") || err == nil && c.Address() != tt.want {
			t.Errorf("%s: got %v, %v, want %q", tt.in, c, err, tt.want)
		}
	}
}

func TestSelection(t *testing.T) {
	s := Selection{
		KPIs: []string{"plays", "ctr"}, Window: "5m", By: []string{"channel", "device"}, Compare: []string{"yesterday"}, Top: 3,
		Filters: []Filter{{Field: "channel", Values: []string{"a,b", `~c\`, ""}}, {Field: "device", Pattern: "i.*"}, {Field: "region", Values: []string{""}}},
	}
	if got, want := s.path(), "/api/v1/kpis/plays,ctr"; got != want {
		t.Errorf("path: got %s, want %s", got, want)
	}
	want := map[string][]string{
		"window": {"5m"}, "by": {"channel,device"}, "compare": {"yesterday"}, "top": {"3"},
		"channel": {`a\,b,\~c\\,`}, "device": {"~i.*"}, "region": {""},
	}
	if got := s.values(); !reflect.DeepEqual(map[string][]string(got), want) {
		t.Errorf("values: got %v, want %v", got, want)
	}
}

// What is no data is an error that says whose.
func TestRefusals(t *testing.T) {
	for _, tt := range []struct {
		name   string
		status int
		media  string
		body   string
		kind   string
		want   string
	}{
		{"of the API", 400, "application/json", `{"status":"error","errorType":"bad_data","error":"window 2m is not kept"}`, "bad_data", "window 2m is not kept"},
		{"of a proxy", 502, "text/html", "<html>", "", "502 Bad Gateway, text/html: that is not Tidewatch's API"},
		{"no type", 404, "", "", "", "404 Not Found, no type: that is not"},
		{"a page", 200, "text/html", "<html>", "", "200 OK, text/html: that is not"},
		{"another envelope", 200, "application/json", `{"state":"success"}`, "", "200 OK, application/json: that is not"},
		{"cut off", 200, "application/json", `{"status":"success","data":[`, "", "that is not"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if tt.media != "" {
					w.Header().Set("Content-Type", tt.media)
				}
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.body)
			}))
			defer s.Close()
			c, err := New(s.URL, "", s.Client(), s.Client())
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.Definitions(t.Context())
			said, ok := errors.AsType[*Error](err)
			if !ok || said.Kind != tt.kind || said.Status != tt.status || !strings.Contains(said.Text, tt.want) {
				t.Errorf("got %#v, want %s %q", err, tt.kind, tt.want)
			}
		})
	}
}

func TestReadEvents(t *testing.T) {
	stream := "retry: 2000\n\nevent: closed\nid: 7\ndata: {\"a\":\ndata: 1}\n\n: still here\n\nevent:live\r\ndata:{}\r\n\r\nid: 8\n\nevent: live\ndata: cut"
	type event struct{ name, id, data string }
	var got []event
	lines := 0
	err := readEvents(strings.NewReader(stream), func() { lines++ }, func(name, id string, data []byte) error {
		got = append(got, event{name, id, string(data)})
		return nil
	})
	want := []event{{"closed", "7", "{\"a\":\n1}"}, {"live", "", "{}"}}
	if !errors.Is(err, io.EOF) || !reflect.DeepEqual(got, want) || lines != 15 {
		t.Errorf("got %q after %d lines, %v, want %q", got, lines, err, want)
	}
	stop := errors.New("stop")
	if err := readEvents(strings.NewReader(stream), func() {}, func(string, string, []byte) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v, want the error of who sees", err)
	}
}

func TestReadRows(t *testing.T) {
	const rows = `{"kpi":"ctr","window":"5m","by":["channel"],"labels":{"channel":"a"},"end":"2026-11-20T04:00:00.000Z","value":0.5,"numerator":1,"denominator":2,"n":2,"low":0.1,"high":0.9,"complete":true,"revision":2,"exactness":"exact"}
{"kpi":"ctr","window":"5m","by":["channel"],"labels":{"channel":"a"},"end":"2026-11-20T04:05:00.000Z","value":null,"numerator":0,"denominator":0,"n":0,"complete":false,"revision":0,"exactness":"exact"}
{"kpi":"ctr","window":"5m","by":["channel"],"labels":{"channel":"b"},"end":"2026-11-20T04:05:00.000Z","value":1,"numerator":1,"denominator":1,"n":1,"complete":true,"revision":1,"exactness":"within 3"}
{"kpi":"ctr","window":"5m","by":["channel"],"labels":{"channel":"b"},"compare":"yesterday","end":"2026-11-19T04:05:00.000Z","value":0,"numerator":0,"denominator":1,"n":1,"complete":true,"revision":1,"exactness":"exact"}
`
	r, err := readRows(strings.NewReader(rows))
	if err != nil {
		t.Fatal(err)
	}
	if r.KPI != "ctr" || len(r.Series) != 2 || len(r.Series[0].Points) != 2 || len(r.Series[1].Points) != 1 || len(r.Compare["yesterday"].Series) != 1 {
		t.Fatalf("got %+v", r)
	}
	p := r.Series[0].Points[0]
	if *p.Value != 0.5 || *p.Low != 0.1 || *p.High != 0.9 || !p.Complete || p.Revision != 2 || !p.End.Equal(time.Date(2026, 11, 20, 4, 0, 0, 0, time.UTC)) {
		t.Errorf("the first point: got %+v", p)
	}
	if p := r.Series[0].Points[1]; p.Value != nil || p.Low != nil {
		t.Errorf("a point without a value: got %+v", p)
	}
	if _, err := readRows(strings.NewReader(rows[:len(rows)-10])); err == nil {
		t.Error("a range that is cut off is read")
	}
}
