package redact

import (
	"errors"
	"net/url"
	"strings"
	"testing"
)

func TestURL(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"nats://host:4222", "nats://host:4222"},
		{"nats://u:pw@h1:4222", "nats://u:xxxxx@h1:4222"},
		{"nats://u:pw@h1,nats://u:pw@h2", "nats://u:xxxxx@h1,nats://u:xxxxx@h2"},
		{"nats://u:pw@h1, tls://u:pw@h2 ", "nats://u:xxxxx@h1, tls://u:xxxxx@h2 "},
		{"nats://token@h1,nats://h2", "nats://xxxxx@h1,nats://h2"},
		{"nats://u:p/w@x,y?z:@h1,nats://u:pw@h2", "nats://u:xxxxx@h1,nats://u:xxxxx@h2"},
		{"nats://u:pw@h1,u:pw@h2", "nats://u:xxxxx@h2"},
		{"u:pw@h", "u:xxxxx@h"},
		{"https://robot.example/hook?key=secret&x=1", "https://robot.example/hook?xxxxx"},
		{"wss://h1/?key=a,wss://h2/?key=b", "wss://h1/?xxxxx,wss://h2/?xxxxx"},
		{"", ""},
		{"host", "host"},
	} {
		if got := URL(c.text); got != c.want {
			t.Errorf("URL(%q) = %q, want %q", c.text, got, c.want)
		}
	}
}

func TestError(t *testing.T) {
	list := "nats://u:s3cret@h1,nats://u:s3%zzcret@h2"
	broken := strings.Split(list, ",")[1]
	_, err := url.Parse(broken)
	for _, err := range []error{err, errors.New("dial " + list), &url.Error{Op: "parse", URL: list, Err: errors.New("bad")}} {
		if got := Error(err, list).Error(); strings.Contains(got, "cret") || !strings.Contains(got, "@h2") {
			t.Errorf("Error(%v) = %s", err, got)
		}
	}
	plain := errors.New("no servers available")
	if got := Error(plain, list); !errors.Is(got, plain) {
		t.Error("an error without secrets is another one")
	}
}
