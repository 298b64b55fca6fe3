package config

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/internal/document"
	"github.com/tidewatch/tidewatch/internal/signature"
	"github.com/tidewatch/tidewatch/kpi"
)

// validate applies every rule, so that one run shows all that is wrong. What
// others would stumble over, reading on, is taken out.
func (r *reader) validate(c *Config) {
	location, err := time.LoadLocation(c.Timezone)
	if err != nil || c.Timezone == "" || c.Timezone == "Local" {
		r.fail("timezone", strconv.Quote(c.Timezone), "is no IANA time zone", "give a name such as Asia/Shanghai or UTC")
	} else {
		c.Location = location
	}

	r.atLeast("disorder", c.Disorder, 0)
	r.atLeast("lateness", c.Lateness, 0)
	r.atMost("disorder", c.Disorder, day)
	r.atMost("lateness", c.Lateness, 7*day)
	if least := c.Lateness + c.Disorder; c.DedupWindow < least {
		r.fail("dedup_window", FormatDuration(c.DedupWindow), "is shorter than lateness + disorder, a duplicate could be counted", "give at least "+FormatDuration(least))
	}
	r.atMost("dedup_window", c.DedupWindow, 30*day)
	r.checkAcceptLate(c)
	r.atLeast("idle_tick", c.IdleTick, 10*time.Millisecond)
	r.atLeast("checkpoint_interval", c.CheckpointInterval, 10*time.Millisecond)
	r.atMost("checkpoint_interval", c.CheckpointInterval, 10*time.Minute)

	if c.Currency != "" && !kpi.IsCurrency([]byte(c.Currency)) {
		r.fail("currency", strconv.Quote(c.Currency), "is no code of ISO 4217", "give one in capitals, such as CNY")
	}
	all := len(c.KPIs)
	c.KPIs = r.readable("kpis", c.KPIs)
	c.Unread = len(c.KPIs) < all
	c.Rules = r.readable("rules", c.Rules)
	if c.Alertmanager != "" && r.readableFile("alertmanager", c.Alertmanager) == nil {
		c.Alertmanager = ""
	}

	r.atLeast("retention.events", c.Retention.Events, time.Minute)
	r.sizeAtLeast("retention.size", c.Retention.Size, 64<<20)
	for _, window := range slices.Sorted(maps.Keys(c.Retention.History)) {
		path := "retention.history." + window
		if length, err := ParseDuration(window); !slices.Contains([]string{"day", "today", "other"}, window) && (err != nil || length <= 0) {
			r.fail(path, strconv.Quote(window), "is no window", "give a length such as 5m, day, today or other")
		}
		r.atLeast(path, c.Retention.History[window], time.Minute)
		if r.bad[path] {
			delete(c.Retention.History, window)
		}
	}
	r.sizeAtLeast("memory_budget", c.MemoryBudget, 64<<20)

	r.address("listen", c.Listen)
	c.ExternalURL = strings.TrimRight(c.ExternalURL, "/")
	r.externalURL(c.ExternalURL)
	if c.NATS.Listen != "" {
		r.address("nats.listen", c.NATS.Listen)
	}
	r.natsURL(c.NATS)
	if c.Partitions < 0 || c.Partitions > 256 {
		r.fail("partitions", strconv.Itoa(c.Partitions), "is outside 0 to 256", "give 0 for one a core")
	}
	if c.Metrics.MaxSeries < 0 {
		r.fail("metrics.max_series", strconv.Itoa(c.Metrics.MaxSeries), "must not be negative", "give 0 to show no KPI series")
	}
	if c.Limits.Connections < 16 {
		r.fail("limits.connections", strconv.Itoa(c.Limits.Connections), "are too few", "give at least 16")
	}
	r.sizeAtLeast("limits.bodies", c.Limits.Bodies, 64<<20)
	r.sizeAtLeast("limits.reads", c.Limits.Reads, 16<<20)
	if c.Limits.BodyRate < 1<<10 {
		r.fail("limits.body_rate", strconv.FormatInt(c.Limits.BodyRate, 10)+" bytes a second", "are too few", "give at least 1KiB")
	}
	r.checkWebhooks(c.Signals.Webhooks)
	r.checkAlertmanagers(c.Alertmanagers)
	r.checkRemoteWrites(c.RemoteWrite)
	r.checkUsers(c.Users)
}

// checkAcceptLate takes out the types that count no longer than others.
func (r *reader) checkAcceptLate(c *Config) {
	for _, name := range slices.Sorted(maps.Keys(c.AcceptLate)) {
		path, within := "accept_late."+name, c.AcceptLate[name]
		r.atLeast(path, within, 0)
		r.atMost(path, within, 30*day)
		switch {
		case name == "":
			r.fail(path, strconv.Quote(name), "is no type of events", "name one, such as ad_cost: 3d")
		case within > 0 && within <= c.Lateness && r.given[path]:
			r.fail(path, FormatDuration(within), "does not exceed lateness="+FormatDuration(c.Lateness)+", within which all events count", "give more, or 0s to accept none later")
		}
		if within <= c.Lateness {
			delete(c.AcceptLate, name)
		}
	}
}

// checkAddress checks one of those that are posted to. It repeats none: an address may hold
// a password.
func (r *reader) checkAddress(path, address, example string) (ok bool) {
	u, err := url.Parse(address)
	switch {
	case address == "": // it is told
		return false
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		r.fail(path, "", "is nothing that can be posted to", "give http:// or https:// and a host, such as "+example)
		return false
	}
	return true
}

// checkAddresses checks those of a list: no two are the same.
func checkAddresses[T any](r *reader, list string, of []T, address func(T) string, example, remedy string) {
	for i, one := range of {
		path := fmt.Sprintf("%s[%d].url", list, i)
		first := slices.IndexFunc(of, func(other T) bool { return address(other) == address(one) })
		if r.checkAddress(path, address(one), example) && first < i {
			r.fail(path, "", fmt.Sprintf("is that of %s[%d]", list, first), remedy)
		}
	}
}

func (r *reader) checkAlertmanagers(servers []Alertmanager) {
	checkAddresses(r, "alertmanagers", servers, func(a Alertmanager) string { return a.URL }, "http://127.0.0.1:9093", "remove it")
	for i, a := range servers {
		if a.BearerTokenFile != "" {
			_ = r.readableFile(fmt.Sprintf("alertmanagers[%d].bearer_token_file", i), a.BearerTokenFile)
		}
	}
}

func (r *reader) checkWebhooks(hooks []Webhook) {
	const list = "signals.webhooks"
	checkAddresses(r, list, hooks, func(w Webhook) string { return w.URL }, "https://crm.example/hook", "keep one, with the states of both")
	for i, w := range hooks {
		path := fmt.Sprintf("%s[%d].secret_file", list, i)
		if file := w.SecretFile; file != "" && r.readableFile(path, file) != nil {
			if _, err := signature.ReadKey(file); err != nil {
				r.failWith(path, file, err)
			}
		}
	}
}

func (r *reader) checkUsers(u Users) {
	const forget = "users.forget_after"
	r.atMost(forget, u.ForgetAfter, 10*365*day)
	if u.ForgetAfter%day != 0 {
		r.fail(forget, FormatDuration(u.ForgetAfter), "is no whole number of days", "give one, such as 400d")
	}
	const path = "users.secret_file"
	switch {
	case u.SecretFile == "":
	case !u.Pseudonymise && !r.bad["users.pseudonymise"]:
		r.fail(path, u.SecretFile, "is of users.pseudonymise, which is not set", "set it to true, or leave secret_file out")
	case r.readableFile(path, u.SecretFile) != nil:
		if _, err := ReadPseudonymKey(u.SecretFile); err != nil {
			r.failWith(path, u.SecretFile, err)
		}
	}
}

func (r *reader) atLeast(path string, d, least time.Duration) {
	switch {
	case d >= least:
	case least == 0:
		r.fail(path, FormatDuration(d), "must not be negative", "give 0s or more")
	default:
		r.fail(path, FormatDuration(d), "is too short", "give at least "+FormatDuration(least))
	}
}

func (r *reader) atMost(path string, d, most time.Duration) {
	if d > most {
		r.fail(path, FormatDuration(d), "is too long", "give at most "+FormatDuration(most))
	}
}

func (r *reader) sizeAtLeast(path string, n, least int64) {
	if n < least {
		r.fail(path, fmt.Sprintf("%d bytes", n), "are too few", fmt.Sprintf("give at least %dMiB", least>>20))
	}
}

// readable are the files that can be read, each once.
func (r *reader) readable(path string, files []string) []string {
	var good []string
	seen := make([]os.FileInfo, len(files))
	for i, file := range files {
		at := fmt.Sprintf("%s[%d]", path, i)
		if seen[i] = r.readableFile(at, file); seen[i] == nil {
			continue
		}
		if first := slices.IndexFunc(seen[:i], func(o os.FileInfo) bool { return o != nil && os.SameFile(o, seen[i]) }); first >= 0 {
			r.fail(at, file, fmt.Sprintf("is the file of %s[%d]", path, first), "keep one")
			continue
		}
		good = append(good, file)
	}
	return good
}

// readableFile is what is known of a file that can be read; nil otherwise.
func (r *reader) readableFile(path, file string) os.FileInfo {
	info, err := os.Stat(file)
	switch {
	case file == "":
		r.fail(path, "", "names no file", "give its name, relative to this file")
	case os.IsNotExist(err):
		r.fail(path, file, "does not exist", "names are relative to this file")
	case err != nil:
		r.failWith(path, "", err)
	case info.IsDir():
		r.fail(path, file, "is a folder", "name the files in it")
	case !info.Mode().IsRegular():
		r.fail(path, file, document.Irregular, document.RegularRemedy)
	default:
		return info
	}
	return nil
}

func (r *reader) address(path, address string) {
	if err := CheckAddress(address); err != nil {
		r.failWith(path, "", err)
	}
}

// CheckAddress says what is wrong with an address to listen on.
func CheckAddress(address string) error {
	_, port, err := net.SplitHostPort(address)
	n, notNumber := strconv.Atoi(port)
	if err != nil || notNumber != nil || n < 0 || n > 65535 {
		return &document.Problem{Value: strconv.Quote(address), Rule: "is no address", Remedy: "give HOST:PORT such as 127.0.0.1:8080"}
	}
	return nil
}

// Loopback reports whether an address to listen on can be reached from this machine
// only.
func Loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (r *reader) externalURL(text string) {
	u, err := url.Parse(text)
	if text == "" || err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil && u.RawQuery == "" && u.Fragment == "" {
		return
	}
	// It may hold a password: it is not repeated.
	r.fail("external_url", "", "is nothing that links can begin with", "give http:// or https://, a host and perhaps a path, such as https://tidewatch.example.com")
}

func (r *reader) natsURL(n NATS) {
	if n.URL == "" {
		return
	}
	if n.Listen != "" {
		r.fail("nats.listen", strconv.Quote(n.Listen), "is of the embedded server, which nats.url replaces", "keep one of the two")
	}
	if err := CheckNATS(n.URL); err != nil {
		r.fail("nats.url", "", "is no NATS URL", natsRemedy)
	}
}

const natsRemedy = "give nats://HOST:4222, several with commas"

// CheckNATS says what is wrong with the URLs of NATS servers. It does not repeat
// them: they may hold a password.
func CheckNATS(urls string) error {
	for server := range strings.SplitSeq(urls, ",") {
		u, err := url.Parse(strings.TrimSpace(server))
		if err != nil || u.Host == "" || !slices.Contains([]string{"nats", "tls", "ws", "wss"}, u.Scheme) {
			return errors.New("is no NATS URL: " + natsRemedy)
		}
	}
	return nil
}
