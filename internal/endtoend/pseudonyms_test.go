package endtoend

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const pseudonymSecret = "a secret that nobody guesses\n"

// named are the places of the data folder in which a text is: the streams by their
// names, and the state.
func named(t *testing.T, data, text string) (places []string) {
	t.Helper()
	err := filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(content, []byte(text)) {
			return err
		}
		place := strings.TrimPrefix(path, data+"/")
		for _, known := range []string{"EVENTS", "LATE", "DEADLETTERS", "SIGNALS", "state"} {
			if strings.Contains(path, known) {
				place = known
			}
		}
		if !slices.Contains(places, place) {
			places = append(places, place)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(places)
	return places
}

// lived has a user's name come in every way over HTTP, until it is in all that the
// service keeps of users, and stops.
func lived(t *testing.T, s *service) {
	t.Helper()
	now := time.Now().Truncate(time.Second)
	// Away for longer than what is no risk: a signal.
	s.post(t, event("1", now.AddDate(0, 0, -40), "play", "user_id", "raw-name"))
	s.post(t, event("2", now.AddDate(0, 0, -40), "play", "user_id", nil, "anonymous_id", "raw-name"))
	got := s.post(t,
		event("3", now, "play", "user_id", "u2"),
		event("4", now, "identify", "user_id", "raw-name", "anonymous_id", "raw-name"),
		`{"user_id":"raw-name","id":"5","time":1,"type":"play"}`,
		event("6", now, "play", "user_id", map[string]string{"name": "raw-name"}),
		event("7", now, "play", "user_id", "raw-name"+strings.Repeat("x", 300)),
		event("8", now, "play", "user_id", "null", "props", map[string]string{"user_id": "raw-name"}),
		event("9", now.Add(time.Hour), "play", "user_id", "raw-name"),
		`"raw-name"`, `raw-name`, `{"user_id":"raw-name"`)
	var reasons []string
	for _, r := range got.Results {
		reasons = append(reasons, r.Reason)
	}
	if want := []string{"time_in_seconds", "wrong_type", "too_large", "placeholder_id", "not_an_object", "not_json", "not_json"}; !slices.Equal(reasons, want) {
		t.Errorf("reasons %v, want %v", reasons, want)
	}
	s.post(t, "["+event("10", now.AddDate(0, 0, -50), "play", "user_id", "raw-name")+",\n"+event("11", now, "play", "user_id", `raw-name`)+"]")
	l := s.awaitReceived(t, 14)
	if q := l.Quarantined; q["time_in_seconds"] != 1 || q["wrong_type"] != 1 || q["too_large"] != 1 || q["placeholder_id"] != 1 || q["not_an_object"] != 1 || q["not_json"] != 2 || l.Total.Late != 1 || l.Total.Future != 1 {
		t.Errorf("the ledger does not say what the answer said: %+v", l)
	}
	s.close(t, now.Add(time.Second))
	var signals struct{ Signals []json.RawMessage }
	eventually(t, "signals", func() bool {
		s.get(t, "/api/v1/signals", &signals)
		return len(signals.Signals) >= 4
	}, func() any { return signals })
	s.stop(t)
}

// TestPseudonyms: of a user who comes over HTTP the data folder and the log have no name;
// without pseudonyms all of it has.
func TestPseudonyms(t *testing.T) {
	t.Parallel()
	const usual = "checkpoint_interval: 50ms\nlateness: 1m\n"
	plain := serving(t, usual)
	lived(t, plain)
	if got, want := named(t, plain.data, "raw-name"), []string{"DEADLETTERS", "EVENTS", "LATE", "SIGNALS", "state"}; !slices.Equal(got, want) {
		t.Fatalf("without pseudonyms the name is in %v, want %v", got, want)
	}

	s := newService(t, usual+"users: {pseudonymise: true, secret_file: secret}\n")
	s.file(t, "secret", pseudonymSecret)
	s.start(t)
	lived(t, s)
	if got := named(t, s.data, "raw-name"); got != nil {
		t.Errorf("the name is in %v", got)
	}
	if strings.Contains(s.text(), "raw-name") {
		t.Error("the name is in the log")
	}

	// Whoever has the id finds the user, with both pseudonyms.
	s.start(t)
	var user struct {
		UserID     string   `json:"user_id"`
		ActiveDays []string `json:"active_days"`
		Identities []string
	}
	s.get(t, "/api/v1/users/raw-name", &user)
	pseudonym := user.UserID
	if !strings.HasPrefix(pseudonym, "p_") || len(user.ActiveDays) != 2 {
		t.Errorf("raw-name is %+v", user)
	}
	s.get(t, "/api/v1/users/"+pseudonym, &user)
	if user.UserID != pseudonym {
		t.Errorf("%s is %+v", pseudonym, user)
	}
	if ids := user.Identities; len(ids) != 1 || !strings.HasPrefix(ids[0], "p_") || ids[0] == pseudonym {
		t.Errorf("identities are %q, want the anonymous one by another pseudonym", ids)
	}

	// What send replaced before is the same user.
	file := s.file(t, "more.ndjson", event("12", time.Now(), "play", "user_id", "raw-name"))
	out, err := exec.Command(binary, "send", "--print", "--pseudonyms", filepath.Join(s.files, "secret"), file).Output()
	if err != nil || !strings.Contains(string(out), fmt.Sprintf("%q", pseudonym)) || strings.Contains(string(out), "raw-name") {
		t.Errorf("send prints %s, %v", out, err)
	}
	s.post(t, strings.TrimSpace(string(out)))
	s.awaitReceived(t, 15)
	s.stop(t)
	if got := named(t, s.data, "raw-name"); got != nil {
		t.Errorf("the name is in %v", got)
	}
}

// TestPseudonymKey: a key is made once, is only its owner's, and no other takes its place
// unnoticed.
func TestPseudonymKey(t *testing.T) {
	t.Parallel()
	s := serving(t, "users: {pseudonymise: true}\n")
	key, check := filepath.Join(s.data, "pseudonyms.key"), filepath.Join(s.data, "pseudonyms.check")
	made := written(t, key)
	for _, file := range []string{key, check} {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", file, info, err)
		}
	}
	s.stop(t)
	s.start(t)
	if !bytes.Equal(written(t, key), made) {
		t.Error("a start made another key")
	}
	s.stop(t)
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	match(t, s.refuses(t), "users.pseudonymise", key+" is missing, and there are pseudonyms that were made by it")
	s.config = "users: {pseudonymise: true, secret_file: secret}\n"
	s.file(t, "secret", pseudonymSecret)
	match(t, s.refuses(t), "users.secret_file", "is not the secret by which the pseudonyms in "+s.data+" were made", check)
	if err := os.Remove(check); err != nil {
		t.Fatal(err)
	}
	s.start(t)
	s.stop(t)
}
