package app

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/stream"
)

// What the data folder has of pseudonyms: the key, unless the configuration names a
// secret, and what tells that it is the one by which they were made.
const (
	pseudonymKey   = "pseudonyms.key"
	pseudonymCheck = "pseudonyms.check"
)

// pseudonymisers makes what replaces ids; nil if they are kept as they come. A key is made
// once. That it is another than the one by which there are pseudonyms is refused: every
// user would be a new one.
func pseudonymisers(c *config.Config) (func() *stream.Pseudonymiser, error) {
	if !c.Users.Pseudonymise {
		return nil, nil
	}
	checkFile := filepath.Join(c.Data, pseudonymCheck)
	known, err := os.ReadFile(checkFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read check of pseudonyms: %w", err)
	}
	file := c.Users.SecretFile
	if file == "" {
		file = filepath.Join(c.Data, pseudonymKey)
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			if len(known) > 0 {
				return nil, c.Mistake("users.pseudonymise", file, "is missing, and there are pseudonyms that were made by it", "put a copy back, or remove "+checkFile+": another is made then, and every user is a new one")
			}
			if err := makeKey(file); err != nil {
				return nil, fmt.Errorf("make key of pseudonyms: %w", err)
			}
		}
	}
	key, err := config.ReadPseudonymKey(file)
	if err != nil {
		return nil, err
	}
	p, err := stream.NewPseudonymiser(key)
	if err != nil {
		return nil, err
	}
	switch check := p.Check(); {
	case len(known) == 0:
		if err := writeWhole(checkFile, check); err != nil {
			return nil, fmt.Errorf("keep check of pseudonyms: %w", err)
		}
	case strings.TrimSpace(string(known)) != check:
		return nil, c.Mistake("users.secret_file", file, "is not the secret by which the pseudonyms in "+c.Data+" were made", "put that one back, or remove "+checkFile+": every user is a new one then")
	}
	return func() *stream.Pseudonymiser {
		p, _ := stream.NewPseudonymiser(key) // it is long enough
		return p
	}, nil
}

func makeKey(file string) error {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	return writeWhole(file, "whsec_"+base64.StdEncoding.EncodeToString(key))
}

// writeWhole writes a line into a file that only its owner may read: all of it, synced, or
// nothing.
func writeWhole(file, line string) error {
	f, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return err
	}
	_, err = f.WriteString(line + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return err
	}
	folder, err := os.Open(filepath.Dir(file))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
