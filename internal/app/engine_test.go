package app

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/tidewatch/tidewatch/internal/config"
)

// TestDataFolderIsPrivate: a folder that others could look into is closed to
// them, and that is said.
func TestDataFolderIsPrivate(t *testing.T) {
	c := config.Default()
	c.Data = t.TempDir()
	for _, mode := range []os.FileMode{0o755, 0o700} {
		if err := os.Chmod(c.Data, mode); err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		e, err := openEngine(c, engineOptions{Log: zerolog.New(&log)})
		if err != nil {
			t.Fatal(err)
		}
		if err := e.close(); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(c.Data)
		if err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%v became %v, %v; want 0700", mode, info.Mode(), err)
		}
		if said := strings.Contains(log.String(), "was open to others"); said != (mode == 0o755) {
			t.Errorf("%v: log %s", mode, log.String())
		}
	}
}
