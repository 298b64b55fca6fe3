package config

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var rewrite = flag.Bool("rewrite", false, "write the messages of testdata/*.bad.yaml anew")

var env = map[string]string{
	"RULES": "rules", "AM": "rules.yml", "SECRET": "s$cret", "PARTITIONS": "3", "WORDS": "three",
}

func lookup(name string) (string, bool) {
	v, ok := env[name]
	return v, ok
}

func setEnv(t *testing.T) {
	for name, value := range env {
		t.Setenv(name, value)
	}
}

func TestLoad(t *testing.T) {
	setEnv(t)
	got, err := Load("testdata/good.yaml")
	if err != nil {
		t.Fatal(err)
	}
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		Timezone: "America/New_York", Location: zone, Currency: "JPY",
		Disorder: 500 * time.Millisecond, Lateness: 90 * time.Minute,
		DedupWindow: 90*time.Minute + 500*time.Millisecond, IdleTick: time.Second,
		AcceptLate: map[string]time.Duration{"settle": 2 * day, "pay": 36 * time.Hour},
		KPIs:       []string{"testdata/kpis.yaml"}, Rules: []string{"testdata/rules.yml"}, Alertmanager: "testdata/rules.yml",
		Alertmanagers: []Alertmanager{{URL: "http://127.0.0.1:9093/am", BearerTokenFile: "testdata/rules.yml"}},
		Retention: Retention{Events: 14 * day, Size: 20 << 30, History: map[string]time.Duration{
			"1m": 12 * time.Hour, "2h": 30 * day, "5m": 3 * day, "1h": 90 * day, "today": 35 * day, "other": 400 * day,
		}},
		MemoryBudget: 512 << 20, Listen: "[::1]:0", ExternalURL: "https://tide.example/watch", Data: "/var/lib/tide$watch",
		NATS:       NATS{URL: "nats://user:s$cret@one:4222,nats://two:4222"},
		Partitions: 3, CheckpointInterval: 2 * time.Second, Metrics: Metrics{MaxSeries: 100},
		Limits: Limits{Connections: 64, Bodies: 128 << 20, BodyRate: 1 << 20, Reads: 32 << 20},
		Signals: Signals{Holdout: 125_000, Webhooks: []Webhook{
			{URL: "https://user:s$cret@crm.example/hook", States: []string{"at_risk", "churned"}, SecretFile: "testdata/secret"},
			{URL: "http://10.0.0.1:9000", States: []string{"at_risk", "churned", "declining", "returned"}},
		}},
		Users: Users{Pseudonymise: true, SecretFile: "testdata/pseudonyms", ForgetAfter: 500 * day},
		RemoteWrite: []RemoteWrite{
			{URL: "http://127.0.0.1:9090/api/v1/write", Match: []string{WrittenByDefault}},
			{URL: "https://store.example/push", Match: []string{`{window="day"}`}, BearerTokenFile: "testdata/secret"},
			{
				URL: "https://mimir.example/api/v1/push", Match: []string{WrittenByDefault}, BasicAuth: BasicAuth{"tide", "testdata/secret"},
				Headers: map[string]string{"X-Scope-OrgID": "s$cret"}, HeaderFiles: map[string]string{"X-Key": "testdata/secret"},
			},
		},
		ClockErrors: ClockErrors{{From: 17, To: 17, Ahead: -time.Hour}, {From: 4711, To: 4790, Ahead: day}},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Config{}, "Location"), cmpopts.IgnoreUnexported(Config{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got.Location.String() != zone.String() {
		t.Errorf("location = %s, want %s", got.Location, zone)
	}
}

// TestDefault: whatever says nothing is the default, and the default is valid.
func TestDefault(t *testing.T) {
	for _, text := range []string{"", "\n# nothing\n", "{}", "nats:\ndisorder:\nretention: {history: }\n"} {
		got, err := parse("config.yaml", []byte(text), lookup)
		if err != nil {
			t.Errorf("parse %q: %v", text, err)
			continue
		}
		if diff := cmp.Diff(Default(), got, cmpopts.IgnoreFields(Config{}, "Location"), cmpopts.IgnoreUnexported(Config{})); diff != "" {
			t.Errorf("parse %q: -want +got:\n%s", text, diff)
		}
	}
}

// TestShare: limits that are not given go with the memory budget.
func TestShare(t *testing.T) {
	for _, c := range []struct {
		text          string
		bodies, reads int64
	}{
		{"", 256 << 20, 256 << 20},
		{"memory_budget: 1GiB", 128 << 20, 128 << 20},
		{"memory_budget: 300MiB", 64 << 20, 64 << 20},
		{"memory_budget: 300MiB\nlimits: {reads: 16MiB}", 64 << 20, 16 << 20},
	} {
		got, err := parse("config.yaml", []byte(c.text), lookup)
		if err != nil {
			t.Fatal(err)
		}
		if got.Limits.Bodies != c.bodies || got.Limits.Reads != c.reads {
			t.Errorf("%q: %+v", c.text, got.Limits)
		}
	}
}

// TestBad compares all errors of testdata/X.bad.yaml with X.bad.txt.
func TestBad(t *testing.T) {
	setEnv(t)
	files, err := filepath.Glob("testdata/*.bad.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("files = %v, %v", files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			c, err := Load(file)
			if err == nil {
				t.Fatalf("loaded as %+v", c)
			}
			golden := strings.TrimSuffix(file, "yaml") + "txt"
			if *rewrite {
				if err := os.WriteFile(golden, []byte(err.Error()+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, readErr := os.ReadFile(golden)
			if readErr != nil {
				t.Fatal(readErr)
			}
			if diff := cmp.Diff(string(want), err.Error()+"\n"); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestMissingFile(t *testing.T) {
	_, err := Load("testdata/none.yaml")
	if want := "testdata/none.yaml: does not exist: correct the name, or go to the folder that has the file"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestDuration(t *testing.T) {
	for _, c := range []struct {
		text string
		want time.Duration
		bad  bool
	}{
		{"0", 0, false}, {"0s", 0, false}, {"100ms", 100 * time.Millisecond, false},
		{"1h30m", 90 * time.Minute, false}, {"7d", 7 * day, false}, {"1d12h", 36 * time.Hour, false},
		{"-5m", -5 * time.Minute, false},
		{"", 0, true}, {"-", 0, true}, {"5", 0, true}, {"s", 0, true}, {"1.5h", 0, true}, {"5 m", 0, true},
		{"5y", 0, true}, {"1e3s", 0, true}, {"99999999999999999999s", 0, true}, {"200000d", 0, true}, {"106751d24h", 0, true},
	} {
		got, err := ParseDuration(c.text)
		if got != c.want || (err != nil) != c.bad {
			t.Errorf("ParseDuration(%q) = %v, %v, want %v, bad %v", c.text, got, err, c.want, c.bad)
		}
	}
}

func TestSize(t *testing.T) {
	for _, c := range []struct {
		text string
		want int64
		bad  bool
	}{
		{"0", 0, false}, {"1024", 1024, false}, {"1B", 1, false}, {"10GiB", 10 << 30, false},
		{"5 MiB", 5 << 20, false}, {"2GB", 2e9, false},
		{"", 0, true}, {"GiB", 0, true}, {"1.5GiB", 0, true}, {"1gib", 0, true}, {"1iB", 0, true}, {"9999999TiB", 0, true},
	} {
		got, err := ParseSize(c.text)
		if got != c.want || (err != nil) != c.bad {
			t.Errorf("ParseSize(%q) = %v, %v, want %v, bad %v", c.text, got, err, c.want, c.bad)
		}
	}
}

func TestShareOfUsers(t *testing.T) {
	for _, c := range []struct {
		text string
		want int
		bad  bool
	}{
		{"0", 0, false}, {"0%", 0, false}, {"10%", 100_000, false}, {"0.25 %", 2_500, false}, {"99.9999%", 999_999, false},
		{"", 0, true}, {"%", 0, true}, {"10", 0, true}, {"0.1", 0, true}, {"ten%", 0, true}, {"NaN%", 0, true},
		{"-1%", 0, true}, {"100%", 0, true}, {"99.99999%", 0, true}, {"inf%", 0, true},
	} {
		got, err := ParseShare(c.text)
		if got != c.want || (err != nil) != c.bad {
			t.Errorf("ParseShare(%q) = %v, %v, want %v, bad %v", c.text, got, err, c.want, c.bad)
		}
	}
}

func TestURL(t *testing.T) {
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ listen, external, want string }{
		{"127.0.0.1:8080", "", "http://127.0.0.1:8080"},
		{"[::1]:8080", "", "http://[::1]:8080"},
		{"localhost:8080", "", "http://localhost:8080"},
		{"0.0.0.0:8080", "", "http://" + name + ":8080"},
		{"[::]:8080", "", "http://" + name + ":8080"},
		{":8080", "", "http://" + name + ":8080"},
		{":8080", "https://tide.example", "https://tide.example"},
	} {
		if got := (&Config{Listen: c.listen, ExternalURL: c.external}).URL(); got != c.want {
			t.Errorf("URL of %s, external %q = %s, want %s", c.listen, c.external, got, c.want)
		}
	}
}

func TestLoopback(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1:8080": true, "127.1.2.3:0": true, "[::1]:8080": true, "localhost:8080": true,
		":8080": false, "0.0.0.0:8080": false, "[::]:8080": false, "10.0.0.1:8080": false, "localhost.example:8080": false, "127.0.0.1": false,
	} {
		if got := Loopback(address); got != want {
			t.Errorf("Loopback(%q) = %t", address, got)
		}
	}
}

func TestExternalURL(t *testing.T) {
	for text, ok := range map[string]bool{
		"https://tide.example": true, "http://10.0.0.1:8080/tide": true, "''": true,
		"tide.example": false, "ftp://tide.example": false, "https://": false,
		"https://user:secret@tide.example": false, "https://tide.example?a=b": false, "'https://tide.example/#x'": false,
	} {
		if _, err := parse("config.yaml", []byte("external_url: "+text), lookup); (err == nil) != ok {
			t.Errorf("external_url: %s: %v", text, err)
		}
	}
}

// TestHash: it changes with what decides numbers, and with nothing else.
func TestHash(t *testing.T) {
	base := Default().Hash()
	for text, same := range map[string]bool{
		"listen: ':9'": true, "partitions: 8": true, "data: /x": true,
		"signals: {holdout: 1%}":      true,
		"users: {forget_after: 500d}": false,
		"timezone: UTC":               false, "currency: CNY": false, "disorder: 3s": false, "lateness: 1m": false, "dedup_window: 1d": false,
	} {
		c, err := parse("config.yaml", []byte(text), lookup)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Hash() == base; got != same {
			t.Errorf("%s: hash as by default = %v, want %v", text, got, same)
		}
	}
}

func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.yaml")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("kpis: &k [*k]\nretention: &r {history: *r}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parse("testdata/fuzz.yaml", data, lookup)
		if err != nil {
			return
		}
		if c.Location == nil || c.DedupWindow < c.Lateness+c.Disorder || c.Disorder < 0 || c.Lateness < 0 {
			t.Errorf("accepted %q as %+v", data, c)
		}
	})
}

// FuzzDuration: what is written is read back.
func FuzzDuration(f *testing.F) {
	f.Add("1d2h3m4s5ms")
	f.Add("-7d")
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDuration(s)
		if err != nil {
			return
		}
		if again, err := ParseDuration(FormatDuration(d)); err != nil || again != d {
			t.Errorf("%q = %v, again %v, %v", s, d, again, err)
		}
	})
}

func TestClockErrors(t *testing.T) {
	c := ClockErrors{{From: 17, To: 17, Ahead: -time.Hour}, {From: 20, To: 30, Ahead: time.Second}}
	for _, tt := range []struct {
		sequence uint64
		ahead    int64
		upTo     string
	}{
		{1, 0, ""},
		{17, -3_600_000, "17-17:-1h0m0s "},
		{18, 0, "17-17:-1h0m0s "},
		{20, 1000, "17-17:-1h0m0s 20-20:1s "},
		{30, 1000, "17-17:-1h0m0s 20-30:1s "},
		{31, 0, "17-17:-1h0m0s 20-30:1s "},
	} {
		if ahead, upTo := c.Ahead(tt.sequence), c.UpTo(tt.sequence); ahead != tt.ahead || upTo != tt.upTo {
			t.Errorf("message %d: %d, %q; want %d, %q", tt.sequence, ahead, upTo, tt.ahead, tt.upTo)
		}
	}
}
