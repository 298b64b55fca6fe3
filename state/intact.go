package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
	sst "github.com/dgraph-io/badger/v4/table"
	"github.com/dgraph-io/ristretto/v2/z"

	"github.com/tidewatch/tidewatch/internal/access"
)

// intact looks at a directory before Badger does: Badger takes one without its
// MANIFEST for empty, and a damaged table ends the process from a goroutine of
// its own.
func intact(dir string) error {
	known, err := os.Open(filepath.Join(dir, badger.ManifestFilename))
	if errors.Is(err, fs.ErrNotExist) {
		return bare(dir)
	}
	if err != nil {
		return err
	}
	defer known.Close()
	manifest, _, err := badger.ReplayManifestFile(known, 0, badger.Options{})
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrDamaged, badger.ManifestFilename, err)
	}
	for id := range manifest.Tables {
		switch err := intactTable(sst.NewFilename(id, dir)); {
		case err == nil:
		case access.Denied(err):
			return err
		default:
			return fmt.Errorf("%w: %s", ErrDamaged, firstLine(err))
		}
	}
	return nil
}

// firstLine leaves out the contents that Badger shows of what it cannot read.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// bare reports what a directory holds that a MANIFEST should know of: that is
// the first file that Badger writes.
func bare(dir string) error {
	for _, kind := range []string{"*.sst", "*.vlog", "*.mem"} {
		names, err := filepath.Glob(filepath.Join(dir, kind))
		if err != nil {
			return fmt.Errorf("list %s: %w", dir, err)
		}
		if len(names) > 0 {
			return fmt.Errorf("%w: %s is missing", ErrDamaged, badger.ManifestFilename)
		}
	}
	return nil
}

// intactTable verifies every block of a table.
func intactTable(path string) (err error) {
	defer func() {
		if recover() != nil { // lengths and places in it are trusted
			err = fmt.Errorf("%s: lengths in it are wrong", filepath.Base(path))
		}
	}()
	file, err := z.OpenMmapFile(path, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	t, err := sst.OpenTable(file, sst.Options{ReadOnly: true, ChkMode: options.OnTableRead})
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return t.Close(-1)
}

// discardSize is the length of Badger's file of what is garbage.
const discardSize = 1 << 20

// dropEmpty removes logs that a crash left without a byte, between their
// creation and their growth: Badger does not open with one. It makes its account
// of garbage anew when that is not whole.
func dropEmpty(dir string) error {
	discard := filepath.Join(dir, "DISCARD")
	if info, err := os.Stat(discard); err == nil && info.Size() != discardSize {
		if err := os.Remove(discard); err != nil {
			return fmt.Errorf("drop account of garbage: %w", err)
		}
	}
	for _, kind := range []string{"*.mem", "*.vlog"} {
		names, err := filepath.Glob(filepath.Join(dir, kind))
		if err != nil {
			return fmt.Errorf("list %s: %w", dir, err)
		}
		for _, name := range names {
			info, err := os.Stat(name)
			if err == nil && info.Size() == 0 {
				err = os.Remove(name)
			}
			if err != nil {
				return fmt.Errorf("drop empty log: %w", err)
			}
		}
	}
	return nil
}
