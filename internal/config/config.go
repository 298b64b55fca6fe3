// Package config reads the service's one configuration file: YAML, all
// optional, strict keys, ${ENV} in values. A bad file is refused with all its
// errors at once.
package config

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/tidewatch/tidewatch/internal/document"
	"github.com/tidewatch/tidewatch/kpi"
)

// A Config is what the service runs with. Field names are the file's keys.
type Config struct {
	// Timezone is the IANA zone in which business days are cut. By default
	// Asia/Shanghai.
	Timezone string
	// Location is Timezone, loaded.
	Location *time.Location

	// Disorder is how far the watermark stays behind the newest event. By
	// default 2s.
	Disorder time.Duration
	// Lateness is how long after its close a slice still takes events. By
	// default 10m, at most 7d.
	Lateness time.Duration
	// DedupWindow is how long an event id is remembered, in event time. By
	// default Lateness + Disorder, which is also the least.
	DedupWindow time.Duration
	// AcceptLate are the types of events that change business days beyond Lateness, each
	// up to so far behind the watermark. By default ad_cost: 3d; a file's entries are
	// added, and 0s takes one out.
	AcceptLate map[string]time.Duration
	// IdleTick is how long the stream may be silent before a tick closes a second.
	// By default 100ms.
	IdleTick time.Duration

	// Currency is the ISO 4217 code of amounts whose event names none. By
	// default such an event is quarantined.
	Currency string

	// KPIs are the files that override the embedded catalogue.
	KPIs []string
	// Rules are the alert rule files.
	Rules []string
	// Alertmanager is the file with the receivers of notifications.
	Alertmanager string
	// Alertmanagers get all alerts. By default there are none.
	Alertmanagers []Alertmanager

	Retention Retention
	// MemoryBudget is the number of bytes above which consumption pauses and
	// ingest answers 429. By default 4GiB.
	MemoryBudget int64

	// Listen is the HTTP address. By default 127.0.0.1:8080.
	Listen string
	// ExternalURL is the address under which people reach the service, for
	// links, without a slash at its end. By default that of Listen.
	ExternalURL string
	// Data is the folder of the state. By default ./tidewatch-data.
	Data string
	NATS NATS
	// Partitions is the number of engine goroutines. By default 0: one a core.
	Partitions int
	// CheckpointInterval is the time between two epochs, unless little comes.
	// By default 1s.
	CheckpointInterval time.Duration
	Metrics            Metrics
	Limits             Limits
	Users              Users
	Signals            Signals
	// RemoteWrite are stores that get what is sealed. By default there are none.
	RemoteWrite []RemoteWrite
	// ClockErrors are messages of the stream that a wrong clock stamped. By default
	// there are none.
	ClockErrors ClockErrors

	// Rebuild begins anew with what the stream holds where the state is lost. It
	// is wanted for one start and no key of the file.
	Rebuild bool
	// Unread is set if a file of KPIs cannot be read: then nobody knows which KPIs
	// there are. It comes with an error, and is no key of the file.
	Unread bool

	file     string
	document *document.Document // nil without a file
	given    map[string]bool    // the paths of its keys
	asRead   *Config            // whatever has other values since
}

// Mistake is what is wrong with the value at a path, with its place in the file.
func (c *Config) Mistake(path, value, rule, remedy string) *document.Problem {
	p := &document.Problem{Path: path, Value: value, Rule: rule, Remedy: remedy}
	if c.document != nil {
		p.File, p.Line = c.file, c.document.Line(path)
	}
	return p
}

// Retention says how long things are kept.
type Retention struct {
	// Events is the age, and Size the bytes, beyond which the event stream is
	// purged once it has been read. By default 7d and 10GiB.
	Events time.Duration
	Size   int64
	// History is the event time that samples are kept for, by window; the key
	// "other" stands for all windows that are not named. By default 1m: 6h,
	// 5m: 3d, 1h: 90d, today: 35d, other: 400d; a file's entries are added to these.
	History map[string]time.Duration
}

// NATS says where the event stream lives.
type NATS struct {
	// URL is a cluster to use. By default the server is embedded.
	URL string
	// Listen is the embedded server's TCP address. By default it has none.
	Listen string
}

// Metrics bounds what /metrics shows.
type Metrics struct {
	// MaxSeries is the number of KPI series shown; the rest is counted. By
	// default 5000.
	MaxSeries int
}

// Limits bound what those who ask can make the service hold.
type Limits struct {
	// Connections is the number of HTTP connections, and that of NATS clients.
	// By default 1000. Half and a quarter of the files that the process may
	// open are the most, whatever it says.
	Connections int
	// Bodies is the number of bytes for requests with bodies that are under way.
	// By default an eighth of MemoryBudget, within 64MiB and 256MiB.
	Bodies int64
	// BodyRate is the least speed of a body and of the reader of an answer, in
	// bytes a second over ten seconds. By default 32KiB.
	BodyRate int64
	// Reads is the number of bytes for answers that are under way; one answer
	// takes at most half of them. By default as Bodies.
	Reads int64
}

// Users say what is kept of users.
type Users struct {
	// Pseudonymise replaces ids by keyed hashes before an event is stored. By default
	// they are kept as they come.
	Pseudonymise bool
	// SecretFile has the key of the hashes. By default one is made in Data.
	SecretFile string
	// ForgetAfter is for how long after the last active day a user is known, in whole
	// days. By default 400d.
	ForgetAfter time.Duration
}

// An Alertmanager is a server that gets all alerts.
type Alertmanager struct {
	URL string
	// BearerTokenFile has the token to be let in with. By default none is sent.
	BearerTokenFile string
}

// ForgetAfterDays is ForgetAfter in days.
func (u *Users) ForgetAfterDays() int { return int(u.ForgetAfter / day) }

// Signals say who is told of what happens to users.
type Signals struct {
	// Holdout is the share of users, in millionths, of whom no webhook is told. By
	// default 0.
	Holdout int
	// Webhooks are told. By default there are none.
	Webhooks []Webhook
}

// A Webhook takes signals.
type Webhook struct {
	URL string
	// States are those that it is told of, in the order of kpi.SignalStates. By default all.
	States []string
	// SecretFile has the secret to sign with. By default nothing is signed.
	SecretFile string
}

// share is the part of the memory budget that limits have unless they are given.
func share(budget int64) int64 { return min(max(budget/8, 64<<20), 256<<20) }

// Default is the configuration of an empty file.
func Default() *Config {
	c := &Config{
		Timezone:   "Asia/Shanghai",
		Disorder:   2 * time.Second,
		Lateness:   10 * time.Minute,
		AcceptLate: map[string]time.Duration{"ad_cost": 3 * day},
		IdleTick:   100 * time.Millisecond,
		Retention: Retention{
			Events: 7 * day,
			Size:   10 << 30,
			History: map[string]time.Duration{
				"1m": 6 * time.Hour, "5m": 3 * day, "1h": 90 * day, "today": 35 * day, "other": 400 * day,
			},
		},
		MemoryBudget:       4 << 30,
		Listen:             "127.0.0.1:8080",
		Data:               "tidewatch-data",
		CheckpointInterval: time.Second,
		Metrics:            Metrics{MaxSeries: 5000},
		Limits:             Limits{Connections: 1000, BodyRate: 32 << 10},
		Users:              Users{ForgetAfter: kpi.ForgetAfter * day},
	}
	c.DedupWindow = c.Lateness + c.Disorder
	c.Limits.Bodies, c.Limits.Reads = share(c.MemoryBudget), share(c.MemoryBudget)
	c.Location, _ = time.LoadLocation(c.Timezone) // nil only without tzdata, which the binary embeds
	return c
}

// URL is the address under which people reach the service.
func (c *Config) URL() string { return cmp.Or(c.ExternalURL, Reach(c.Listen)) }

// Reach is the URL of an address that is listened on: that of all interfaces
// is reached by the machine's name.
func Reach(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "http://" + listen
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		name, _ := os.Hostname()
		host = cmp.Or(name, "localhost")
	}
	return "http://" + net.JoinHostPort(host, port)
}

// Load reads and validates a file. Paths in it are relative to its folder. With
// an error the configuration is what is good of it, nil when it cannot be read.
func Load(path string) (*Config, error) {
	data, err := document.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parse(path, data, os.LookupEnv)
}

// Hash identifies the settings that decide numbers: two runs over one stream
// with equal hashes (and equal definitions) answer alike.
func (c *Config) Hash() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "timezone=%s disorder=%s lateness=%s dedup_window=%s accept_late=%v currency=%s forget_after=%s",
		c.Timezone, c.Disorder, c.Lateness, c.DedupWindow, c.AcceptLate, c.Currency, c.Users.ForgetAfter))
	return hex.EncodeToString(sum[:8])
}
