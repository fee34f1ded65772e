// Package temporalclient connects by the ConfigMap and the Secret of this stack.
package temporalclient

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"
)

const (
	plainID = "binary/encrypted"
	bound   = "binary/encrypted-for-workflow"
)

// KeyringCodec writes binary/encrypted, and reads that and what workers bind to their workflow.
type KeyringCodec struct {
	Keys   map[string][]byte
	Active string
}

// KeysFrom reads a mounted Secret: a file for each key, its id as the name.
func KeysFrom(folder string) (map[string][]byte, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	keys := map[string][]byte{}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			return nil, err
		}
		if keys[entry.Name()], err = base64.StdEncoding.DecodeString(strings.TrimSpace(string(text))); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

func (c *KeyringCodec) aead(id string) (cipher.AEAD, error) {
	key, known := c.Keys[id]
	if !known {
		return nil, fmt.Errorf("no payload key %q", id)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// Encode encrypts with the active key.
func (c *KeyringCodec) Encode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	aead, err := c.aead(c.Active)
	if err != nil {
		return nil, err
	}
	result := make([]*commonpb.Payload, len(payloads))
	for i, payload := range payloads {
		plaintext, err := proto.Marshal(payload)
		if err != nil {
			return nil, err
		}
		nonce := make([]byte, aead.NonceSize())
		if _, err := rand.Read(nonce); err != nil {
			return nil, err
		}
		result[i] = &commonpb.Payload{
			Metadata: map[string][]byte{
				converter.MetadataEncoding: []byte(plainID),
				"encryption-key-id":        []byte(c.Active),
			},
			Data: aead.Seal(nonce, nonce, plaintext, nil),
		}
	}
	return result, nil
}

// Decode decrypts what is encrypted, and leaves the rest as it is.
func (c *KeyringCodec) Decode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	result := make([]*commonpb.Payload, len(payloads))
	for i, payload := range payloads {
		encoding, id := string(payload.Metadata[converter.MetadataEncoding]), payload.Metadata["encryption-key-id"]
		if encoding != plainID && encoding != bound {
			result[i] = payload
			continue
		}
		aead, err := c.aead(string(id))
		if err != nil {
			return nil, err
		}
		if len(payload.Data) < aead.NonceSize() {
			return nil, fmt.Errorf("a payload is too short to be encrypted")
		}
		var additional []byte
		if encoding == bound {
			additional = bytes.Join([][]byte{[]byte(bound), id, payload.Metadata["encryption-workflow-id"]}, []byte{0})
		}
		nonce, sealed := payload.Data[:aead.NonceSize()], payload.Data[aead.NonceSize():]
		plaintext, err := aead.Open(nil, nonce, sealed, additional)
		if err != nil {
			return nil, err
		}
		result[i] = &commonpb.Payload{}
		if err := proto.Unmarshal(plaintext, result[i]); err != nil {
			return nil, err
		}
	}
	return result, nil
}

// Connect makes a client.
func Connect() (client.Client, error) {
	keys, err := KeysFrom("/var/run/temporal-keys")
	if err != nil {
		return nil, err
	}
	codec := &KeyringCodec{Keys: keys, Active: os.Getenv("CODEC_ACTIVE_KEY")}
	options := client.Options{
		HostPort:      os.Getenv("TEMPORAL_ADDRESS"),
		Namespace:     os.Getenv("TEMPORAL_NAMESPACE"),
		DataConverter: converter.NewCodecDataConverter(converter.GetDefaultDataConverter(), codec),
	}
	if os.Getenv("TEMPORAL_TLS") == "true" {
		options.ConnectionOptions.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return client.Dial(options)
}
