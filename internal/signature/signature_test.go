package signature

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestSet: the signature is that of `printf '%s.%s.%s' ID SECONDS BODY | openssl
// dgst -sha256 -hmac KEY -binary | base64`.
func TestSet(t *testing.T) {
	at := time.Date(2026, 11, 28, 12, 0, 0, 999, time.FixedZone("", 8*3600))
	for key, want := range map[string]string{"": "", "0123456789abcdefghijklmn": "v1,hpxAlfYW2Xk03sRFMYJWWDZDDMdHqQMs0WY8rf8j2q8="} {
		h := http.Header{}
		Key(key).Set(h, "2a", at, []byte(`[{"id":"1"}]`))
		if h.Get("webhook-id") != "2a" || h.Get("webhook-timestamp") != "1795838400" || h.Get("webhook-signature") != want {
			t.Errorf("key %q: %v, want the signature %q", key, h, want)
		}
	}
}

func TestReadKey(t *testing.T) {
	dir := t.TempDir()
	if _, err := ReadKey(dir); err == nil {
		t.Error("a folder is a key")
	}
	if _, err := ReadKey(filepath.Join(dir, "none")); err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("no file: %v", err)
	}
	file := filepath.Join(dir, "secret")
	for _, c := range []struct{ text, want, rule string }{
		{"whsec_MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1u\n", "0123456789abcdefghijklmn", ""},
		{" a secret.\r\n", "a secret.", ""},
		{" \n", "", "is empty"},
		{"whsec_", "", "no base64"},
		{"whsec_MDEyM?", "", "no base64"},
	} {
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		key, err := ReadKey(file)
		if string(key) != c.want || (err == nil) != (c.rule == "") {
			t.Errorf("%q: %q, %v", c.text, key, err)
		}
		if err != nil && (!strings.Contains(err.Error(), c.rule) || strings.Contains(err.Error(), "MDE")) {
			t.Errorf("%q: %v, want it to say %s, and nothing of the secret", c.text, err, c.rule)
		}
	}
}
