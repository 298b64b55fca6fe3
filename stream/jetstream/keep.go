package jetstream

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/nats-io/nats-server/v2/server"
)

// keeping has the server open a stream, or all that there are if it is "". The server
// removes the files of one that it cannot open: until open is done each has a second
// name, by which they are put back when it fails, after a crash by the next start.
func keeping(dir, stream string, open func() error) error {
	streams := filepath.Join(streamsFolder(dir), stream)
	kept := filepath.Join(dir, server.JetStreamStoreDir, "kept", stream)
	if err := name(kept, streams); err != nil {
		return fmt.Errorf("put back what a start has removed: %w", err)
	}
	if err := os.RemoveAll(kept); err != nil {
		return err
	}
	if err := name(streams, kept); err != nil {
		return fmt.Errorf("keep the streams: %w", err)
	}
	if err := open(); err != nil {
		if lost := name(kept, streams); lost != nil {
			return fmt.Errorf("%w; what was removed is in %s: put it back: %w", err, kept, lost)
		}
		return errors.Join(err, os.RemoveAll(kept))
	}
	return os.RemoveAll(kept)
}

func streamsFolder(dir string) string {
	return filepath.Join(dir, server.JetStreamStoreDir, server.DEFAULT_GLOBAL_ACCOUNT, "streams")
}

// name gives the files below from a second name below to, where it is free. A disk
// that knows one name of a file only is no error.
func name(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if path == from && errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		below, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if strings.HasPrefix(d.Name(), ".") { // a server may still be removing it
				return fs.SkipDir
			}
			return os.MkdirAll(filepath.Join(to, below), 0o700)
		}
		switch err := os.Link(path, filepath.Join(to, below)); {
		case errors.Is(err, fs.ErrExist), errors.Is(err, errors.ErrUnsupported), errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EXDEV):
			return nil
		default:
			return err
		}
	})
}
