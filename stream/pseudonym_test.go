package stream

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"math/rand/v2"
	"strings"
	"testing"
)

var pseudonymKey = []byte("0123456789abcdef")

func pseudonymiser(t testing.TB) *Pseudonymiser {
	t.Helper()
	p, err := NewPseudonymiser(pseudonymKey)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestPseudonym: a pseudonym is what the documentation says that it is.
func TestPseudonym(t *testing.T) {
	p := pseudonymiser(t)
	by := func(space string) string {
		mac := hmac.New(sha256.New, pseudonymKey)
		mac.Write([]byte(space + "\x00u1"))
		return "p_" + strings.ToLower(base32.StdEncoding.EncodeToString(mac.Sum(nil)[:16]))[:26]
	}
	user, anonymous := p.User("u1"), p.Anonymous("u1")
	if user != by("user_id") || anonymous != by("anonymous_id") || user == anonymous {
		t.Errorf("%s and %s, want %s and %s", user, anonymous, by("user_id"), by("anonymous_id"))
	}
	if p.User(user) != user || p.Anonymous(user) != user {
		t.Error("a pseudonym is not its own")
	}
	if _, err := NewPseudonymiser([]byte("short")); err == nil || err.Error() != "key of 5 bytes is too short: give at least 16 that are random" {
		t.Errorf("a short key: %v", err)
	}
	other, _ := NewPseudonymiser([]byte("another key, too"))
	if other.User("u1") == user || other.Check() == p.Check() || strings.Contains(p.Check(), string(pseudonymKey)) {
		t.Error("keys are not told apart")
	}
}

func TestPseudonymisedEvent(t *testing.T) {
	p := pseudonymiser(t)
	user, anonymous := p.User("u1"), p.Anonymous("u1")
	long := strings.Repeat("x", MaxText+1)
	for _, c := range []struct{ line, want string }{
		{`{"id":1,"user_id":"u1","channel":"u1"}`, `{"id":1,"user_id":"` + user + `","channel":"u1"}`},
		{`{ "user_id" : "u1" , "anonymous_id":"u1"}`, `{ "user_id" : "` + user + `" , "anonymous_id":"` + anonymous + `"}`},
		{`{"\u0075ser_id":"\u00751"}`, `{"\u0075ser_id":"` + user + `"}`},
		{`{"user_id":17}`, `{"user_id":"` + p.User("17") + `"}`},
		{`{"user_id":"u1","user_id":"u1"}`, `{"user_id":"` + user + `","user_id":"` + user + `"}`},
		{`{"props":{"x":[{"anonymous_id":"u1"}]}}`, `{"props":{"x":[{"anonymous_id":"` + anonymous + `"}]}}`},
		{`{"user_id":"` + user + `"}`, `{"user_id":"` + user + `"}`},
		{`{"user_id":"NULL","anonymous_id":0}`, `{"user_id":"NULL","anonymous_id":0}`},
		{`{"user_id":" \t","anonymous_id":null}`, `{"user_id":" \t","anonymous_id":null}`},
		{`{"user_id":"","anonymous_id":true}`, `{"user_id":"","anonymous_id":true}`},
		{`{"user_id":1.5,"anonymous_id":{"name":"u1"}}`, `{"user_id":0.5,"anonymous_id":{}}`},
		{`{"user_id":"` + long + `"}`, `{"user_id":"` + strings.Repeat("-", MaxText+1) + `"}`},
		{`{"user_id":"u1"`, `redacted`},
		{`{"user_id":"u1"} u1`, `redacted`},
		{`u1`, `redacted`},
		{"{\"user_id\":\"u1\xff\"}", `redacted`},
		{`"u1"`, `"redacted"`},
		{`[{"user_id":"u1"}]`, `"redacted"`},
	} {
		if got := string(p.Append([]byte("before "), []byte(c.line))); got != "before "+c.want {
			t.Errorf("%s is %s, want %s", c.line, got, c.want)
		}
	}
}

// TestPseudonymisedBody: a body keeps its lines, and what pseudonyms make too large is.
func TestPseudonymisedBody(t *testing.T) {
	p := pseudonymiser(t)
	full := func(rest int) string {
		head := `{` + good + `,"x":"`
		return head + strings.Repeat("x", MaxEvent-rest-len(head)-2) + `"}`
	}
	text := "\ufeff" + full(0) + "\n\n[1\r\n" + full(100) + "\n"
	d := NewChecker(catalogue, testKey)
	body, err := d.Judge([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.Body(&body, MaxMessage)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(got, []byte("\n"))
	if len(lines) != 3 || string(lines[1]) != redactedText {
		t.Fatalf("%d lines, the second is %q", len(lines), lines[min(1, len(lines)-1)])
	}
	for i, want := range []Reason{ReasonTooLarge, ReasonNotJSON, ReasonNone} {
		if _, reason, _ := d.Check(lines[i]); body.Reasons[i] != want || reason != want {
			t.Errorf("line %d is %s, of the stream %s, want %s", i, body.Reasons[i], reason, want)
		}
	}
	if _, err := p.Body(&body, len(got)-1); err == nil || !strings.HasSuffix(err.Error(), "send the events in several requests") {
		t.Errorf("a longer text: %v", err)
	}
}

// FuzzPseudonymise: an event with pseudonyms meets the reason of the one without, and is
// the same once more.
func FuzzPseudonymise(f *testing.F) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		f.Add(oddEvent(r, catalogue))
	}
	for _, seed := range []string{`{"user_id":1.5}`, `{` + good + `,"user_id":[{"user_id":1}]}`, `[1]`, `{"a":[{"user_id":"\ud800"}]}`,
		`{` + good + `,"user_id":"` + strings.Repeat(" ", MaxText+1) + `"}`} {
		f.Add([]byte(seed))
	}
	p := pseudonymiser(f)
	d := NewChecker(catalogue, testKey)
	f.Fuzz(func(t *testing.T, data []byte) {
		body, err := d.Judge(bytes.Clone(data))
		if err != nil {
			return
		}
		if _, err := p.Body(&body, 1<<30); err != nil {
			t.Fatal(err)
		}
		for i, reason := range body.Reasons {
			line := bytes.Clone(body.Line(i))
			other := p.Append(nil, line)
			if _, got, _ := NewChecker(catalogue, testKey).Check(other); got != reason {
				t.Fatalf("%q is %s, %q is %s", line, reason, other, got)
			}
			if again := p.Append(nil, other); !bytes.Equal(again, other) {
				t.Fatalf("%q becomes %q, then %q", line, other, again)
			}
		}
	})
}
