package config

import (
	"fmt"

	"github.com/tidewatch/tidewatch/internal/document"
	"github.com/tidewatch/tidewatch/internal/signature"
	"github.com/tidewatch/tidewatch/stream"
)

// ReadPseudonymKey reads the key of pseudonyms: "whsec_" and base64, or plain text. An
// error says nothing of what is in the file.
func ReadPseudonymKey(file string) ([]byte, error) {
	key, err := signature.ReadKey(file)
	if err != nil {
		return nil, err
	}
	if len(key) < stream.MinPseudonymKey {
		return nil, &document.Problem{File: file, Rule: "has a secret that is too short",
			Remedy: fmt.Sprintf("give at least %d bytes that are random, as openssl rand -base64 32 writes", stream.MinPseudonymKey)}
	}
	return key, nil
}
