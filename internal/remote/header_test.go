package remote

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/prompb"
	"github.com/rs/zerolog"

	"github.com/tidewatch/tidewatch/internal/config"
)

// TestHeaders: a store is told who we are, by files as they are, and nothing of that is
// logged.
func TestHeaders(t *testing.T) {
	s := newStore(t)
	folder := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	w, sealed := s.writer(t, config.RemoteWrite{
		Match: []string{`{window="5m",channel="a"}`}, BasicAuth: config.BasicAuth{Username: "tide", PasswordFile: file("password", "s3cret1\n")},
		Headers: map[string]string{"X-Scope-OrgID": "s3cret2"}, HeaderFiles: map[string]string{"x-key": file("key", "s3cret3")},
	}, map[string]int64{s.URL: begin.UnixMilli()}, newSource())
	var log bytes.Buffer
	w.Log = zerolog.New(&log)
	refused := 0
	s.answer = func(n int, _ *prompb.WriteRequest) int {
		if n == 1 {
			return 503
		}
		if n > 2 {
			refused++
			return 400
		}
		return 204
	}
	step := func(after time.Duration) {
		sealed.Store(begin.Add(after).UnixMilli())
		w.catchUp(t.Context())
	}
	step(7 * time.Second)
	file("key", "s3cret4 ")
	step(12 * time.Second)
	for i, key := range []string{"s3cret3", "s3cret3", "s3cret4"} {
		h := s.headers[i]
		if h.Get("Authorization") != "Basic "+base64.StdEncoding.EncodeToString([]byte("tide:s3cret1")) || h.Get("X-Scope-OrgID") != "s3cret2" || h.Get("X-Key") != key {
			t.Errorf("request %d: %v", i, h)
		}
	}
	if text := log.String(); refused != 1 || !strings.Contains(text, "refuses samples") || strings.Contains(text, "s3cret") {
		t.Errorf("%d refused, the log has %s", refused, text)
	}
}

// TestSecret: a file without a secret is told by its key, and not by what is in it.
func TestSecret(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	for text, want := range map[string]string{"": "has not one line of text", " \n": "has not one line of text", "a1b2\nc3d4": "has not one line of text"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := headerFor(&config.RemoteWrite{HeaderFiles: map[string]string{"X-Key": path}})
		if err == nil || !strings.HasPrefix(err.Error(), "read header_files.X-Key: ") || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "b2") {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
	if _, err := headerFor(&config.RemoteWrite{BasicAuth: config.BasicAuth{Username: "u", PasswordFile: path + "0"}}); err == nil || !strings.HasPrefix(err.Error(), "read basic_auth.password_file: ") {
		t.Errorf("no file: %v", err)
	}
}
