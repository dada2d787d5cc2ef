// Package webhook sends messages to other systems by HTTP, signed as Standard Webhooks
// 1.0.0 say, and to no address that those systems have no business with.
package webhook

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Key signs what is sent: a secret that both sides know ("whsec_...", v1, HMAC-SHA256), or
// a private key ("whsk_...", v1a, Ed25519), of which the other side knows the public one.
type Key struct {
	secret  []byte
	private ed25519.PrivateKey
}

// The prefixes of keys as they are written.
const (
	secretPrefix  = "whsec_"
	privatePrefix = "whsk_"
	publicPrefix  = "whpk_"
)

// ParseKey reads a key: its prefix and base64. A secret has 24 to 64 bytes; a private key
// is its seed of 32 bytes, or the seed with the public key behind it. The error does not
// repeat it.
func ParseKey(s string) (Key, error) {
	if text, ok := strings.CutPrefix(s, secretPrefix); ok {
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(b) < 24 || len(b) > 64 {
			return Key{}, errors.New("a secret is whsec_ and the base64 of 24 to 64 random bytes")
		}
		return Key{secret: b}, nil
	}
	text, ok := strings.CutPrefix(s, privatePrefix)
	b, err := base64.StdEncoding.DecodeString(text)
	switch {
	case !ok:
		return Key{}, errors.New("a key begins with whsec_ or whsk_")
	case err == nil && len(b) == ed25519.SeedSize:
		return Key{private: ed25519.NewKeyFromSeed(b)}, nil
	case err == nil && len(b) == ed25519.PrivateKeySize:
		if k := ed25519.NewKeyFromSeed(b[:ed25519.SeedSize]); hmac.Equal(k, b) {
			return Key{private: k}, nil
		}
	}
	return Key{}, errors.New("a private key is whsk_ and the base64 of an Ed25519 seed (32 bytes), with the public key behind it or without")
}

// Public is the public key as it is written, for those who check signatures; empty for a
// secret.
func (k Key) Public() string {
	if k.private == nil {
		return ""
	}
	public, _ := k.private.Public().(ed25519.PublicKey)
	return publicPrefix + base64.StdEncoding.EncodeToString(public)
}

// signature is that of a message that is sent at a time.
func (k Key) signature(id string, at time.Time, body []byte) string {
	signed := signedContent(id, strconv.FormatInt(at.Unix(), 10), body)
	if k.private != nil {
		return "v1a," + base64.StdEncoding.EncodeToString(ed25519.Sign(k.private, signed))
	}
	mac := hmac.New(sha256.New, k.secret)
	mac.Write(signed)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func signedContent(id, at string, body []byte) []byte {
	return append([]byte(id+"."+at+"."), body...)
}

// sign is the header with the signatures of all keys: while one replaces another, both
// sign.
func sign(keys []Key, id string, at time.Time, body []byte) string {
	list := make([]string, len(keys))
	for i, k := range keys {
		list[i] = k.signature(id, at, body)
	}
	return strings.Join(list, " ")
}

// tolerance is how far a message's time may be from the receiver's.
const tolerance = 5 * time.Minute

// Verify is what a receiver does: it holds that a message was signed under a key, a
// "whsec_..." or the public "whpk_...", not long before or after now.
func Verify(key, id, timestamp, signatures string, body []byte, now time.Time) error {
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return errors.New("webhook-timestamp is no time")
	}
	if off := now.Sub(time.Unix(seconds, 0)).Abs(); off > tolerance {
		return fmt.Errorf("the message is %s off", off)
	}
	signed := signedContent(id, timestamp, body)
	for one := range strings.FieldsSeq(signatures) {
		version, text, _ := strings.Cut(one, ",")
		got, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			continue
		}
		if public, ok := strings.CutPrefix(key, publicPrefix); ok && version == "v1a" {
			if p, err := base64.StdEncoding.DecodeString(public); err == nil && len(p) == ed25519.PublicKeySize && ed25519.Verify(p, signed, got) {
				return nil
			}
		}
		if k, err := ParseKey(key); err == nil && k.secret != nil && version == "v1" {
			mac := hmac.New(sha256.New, k.secret)
			mac.Write(signed)
			if hmac.Equal(mac.Sum(nil), got) {
				return nil
			}
		}
	}
	return errors.New("no signature is right")
}
