package keys

import (
	"bufio"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/alur-id/alur/domain"
)

// KEK is a key-encryption key (AES-256): it wraps the keys in the store and never
// stands beside them.
type KEK [32]byte

// ID names a key-encryption key without telling anything of it.
func (k KEK) ID() string {
	sum := sha256.Sum256(append([]byte("alur/kek/v1"), k[:]...))
	return hex.EncodeToString(sum[:4])
}

// NewKEK draws a key-encryption key.
func NewKEK() KEK {
	var k KEK
	_, _ = rand.Read(k[:]) // crypto/rand ends the program rather than fail
	return k
}

// String is the key as a file or the environment holds it. It is a secret.
func (k KEK) text() string { return base64.StdEncoding.EncodeToString(k[:]) }

// Ring is the key-encryption keys at hand: the first wraps, all unwrap.
type Ring []KEK

// ParseRing reads key-encryption keys, one a line, 32 bytes in base64, the newest
// first; lines that begin with # are left out. Errors repeat nothing of the text.
func ParseRing(text string) (Ring, error) {
	var ring Ring
	lines := bufio.NewScanner(strings.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		b, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(b) != len(KEK{}) {
			return nil, fmt.Errorf("line %d is not a key-encryption key: want 32 bytes in base64", n)
		}
		if k := KEK(b); !slices.Contains(ring, k) {
			ring = append(ring, k)
		}
	}
	if len(ring) == 0 {
		return nil, errors.New("there is no key-encryption key in it")
	}
	return ring, nil
}

// Text is the ring as [ParseRing] reads it. It is a secret.
func (r Ring) Text() string {
	var b strings.Builder
	b.WriteString("# Key-encryption keys of Alur, the newest first. Whoever has this file and the\n# key store can open all personal data; without it nobody can. Keep a copy apart\n# from the backups of both.\n")
	for _, k := range r {
		b.WriteString(k.text() + "\n")
	}
	return b.String()
}

// ErrNoKEK says that something was wrapped by a key that is not in the ring.
var ErrNoKEK = errors.New("its key-encryption key is not at hand")

// wrap seals 32 bytes; bound is what they belong to.
func (k KEK) wrap(plain []byte, bound string) ([]byte, error) {
	gcm, err := k.cipher()
	if err != nil {
		return nil, err
	}
	return gcm.Seal(nil, nil, plain, []byte(bound)), nil
}

func (r Ring) unwrap(kek string, wrapped []byte, bound string) ([]byte, error) {
	for _, k := range r {
		if k.ID() != kek {
			continue
		}
		gcm, err := k.cipher()
		if err != nil {
			return nil, err
		}
		plain, err := gcm.Open(nil, nil, wrapped, []byte(bound))
		if err != nil {
			return nil, fmt.Errorf("%w: %w", domain.ErrDamagedKey, err)
		}
		return plain, nil
	}
	return nil, fmt.Errorf("key-encryption key %.20q: %w", kek, ErrNoKEK)
}

func (k KEK) cipher() (cipher.AEAD, error) {
	block, err := aes.NewCipher(k[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}
